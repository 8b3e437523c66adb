import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, parse, parseDocument } from "yaml";
import { ConfigError, type Crypter, openCrypter, passphrase } from "./secrets.ts";
import { isObject, mapValue, type Value } from "./values.ts";

/** What `Pulumi.yaml` says, as far as the engine uses it. */
export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly main: string;
  readonly refresh: boolean;
  readonly config: { readonly [key: string]: Value };
}

/** A stack's settings as the program gets them: full keys, strings; `secretKeys` are those to keep secret. */
export interface Settings {
  readonly config: { [key: string]: string };
  readonly secretKeys: string[];
  readonly salt?: string;
  readonly crypter?: Crypter;
}

/** @returns The project whose `Pulumi.yaml` lies in `folder`. */
export function readProject(folder: string): Project {
  const file = join(folder, "Pulumi.yaml");
  if (!existsSync(file)) throw new ConfigError(`no Pulumi.yaml in ${folder}: name the project's folder with --cwd`);
  const { name, runtime, main, options, config } = parse(readFileSync(file, "utf8"));
  const runtimeName = runtime?.name ?? runtime;
  if (runtimeName !== "nodejs")
    throw new ConfigError(
      `runtime "${runtimeName}" is not supported by the embedded engine, only nodejs: use the Pulumi CLI`,
    );
  return { name, folder, main: main ?? ".", refresh: options?.refresh === "always", config: config ?? {} };
}

const asText = (value: Value): string => (typeof value === "string" ? value : JSON.stringify(value));
const fullKey = (project: Project, key: string): string => (key.includes(":") ? key : `${project.name}:${key}`);
const isSecure = (value: Value): value is { secure: string } =>
  isObject(value) && typeof value.secure === "string" && Object.keys(value).length === 1;

function projectDefault(key: string, entry: Value): string | undefined {
  if (!isObject(entry) || !["type", "value", "default", "description", "secret"].some((field) => field in entry))
    return asText(entry);
  const value = entry.value ?? entry.default;
  if (value === undefined)
    throw new ConfigError(
      `missing configuration value "${key}": run \`node local/engine/main.ts config set ${key} <value>\``,
    );
  return asText(value);
}

/** @returns The settings in `file` (`Pulumi.<stack>.yaml`) over the project's defaults, secrets decrypted. */
export async function readSettings(project: Project, file: string): Promise<Settings> {
  const stored = existsSync(file) ? (parse(readFileSync(file, "utf8")) ?? {}) : {};
  if (stored.secretsprovider && stored.secretsprovider !== "passphrase")
    throw new ConfigError(`${file}: secretsprovider "${stored.secretsprovider}" is not supported, only passphrase`);
  const entries = Object.entries((stored.config ?? {}) as { [key: string]: Value });
  let secured = false;
  mapValue(Object.fromEntries(entries), (part) => {
    secured ||= isSecure(part);
    return part;
  });
  const crypter = secured ? await openCrypter(passphrase(), stored.encryptionsalt) : undefined;
  const config: { [key: string]: string } = {};
  const secretKeys: string[] = [];
  for (const [name, value] of entries) {
    const key = fullKey(project, name);
    const opened = mapValue(value, (part) => {
      if (!isSecure(part) || crypter === undefined) return part;
      if (!secretKeys.includes(key)) secretKeys.push(key);
      return crypter.decrypt(part.secure);
    });
    config[key] = asText(opened);
  }
  for (const [name, entry] of Object.entries(project.config)) {
    const key = fullKey(project, name);
    const value = key in config ? undefined : projectDefault(name, entry);
    if (value !== undefined) config[key] = value;
  }
  return { config, secretKeys, salt: stored.encryptionsalt, crypter };
}

/** Writes one value into the stack's settings file, encrypted where `secret`; comments in the file are kept. */
export async function setConfig(
  project: Project,
  file: string,
  key: string,
  value: string,
  secret: boolean,
): Promise<void> {
  const document = parseDocument(existsSync(file) ? readFileSync(file, "utf8") : "");
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  if (secret) {
    const crypter = await openCrypter(passphrase(), document.get("encryptionsalt") as string | undefined);
    document.set("encryptionsalt", crypter.salt);
    document.setIn(["config", fullKey(project, key)], document.createNode({ secure: crypter.encrypt(value) }));
  } else document.setIn(["config", fullKey(project, key)], value);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
}
