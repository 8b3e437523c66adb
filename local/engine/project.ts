import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isMap, parse, parseDocument } from "yaml";
import { isStructure, parseSettingsSchema, type SettingsSchema, settingText } from "../../src/settings/schema.ts";
import { completeConfig } from "./project-config.ts";
import { ConfigError, type Keyring, keyring } from "./secrets.ts";
import { unsupported } from "./unsupported.ts";
import { isObject, mapValue, type Value } from "./values.ts";

/** What `Pulumi.yaml` says, as far as the engine uses it. */
export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly main: string;
  /** What it declares of its settings. */
  readonly schema: SettingsSchema;
}

/** A stack's settings as the program gets them: full keys, strings; `secretKeys` are those to keep secret. */
export interface Settings {
  readonly config: { [key: string]: string };
  readonly secretKeys: string[];
}

/** @returns The project whose `Pulumi.yaml` lies in `folder`. */
export function readProject(folder: string): Project {
  const file = join(folder, "Pulumi.yaml");
  if (!existsSync(file)) throw new ConfigError(`no Pulumi.yaml in ${folder}: name the project's folder with --cwd`);
  const { name, runtime, main, options, config } = parse(readFileSync(file, "utf8"));
  const runtimeName = runtime?.name ?? runtime;
  if (runtimeName !== "nodejs") throw unsupported(`runtime "${runtimeName}"`);
  if (options !== undefined) throw unsupported(`options in ${file}`);
  return { name, folder, main: main ?? ".", schema: parseSettingsSchema(name, config) };
}

const fullKey = (project: Project, key: string): string => (key.includes(":") ? key : `${project.name}:${key}`);
const isSecure = (value: Value): value is { secure: string } =>
  isObject(value) && typeof value.secure === "string" && Object.keys(value).length === 1;

function hasSecure(value: Value): boolean {
  return isSecure(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasSecure));
}

const stackName = (file: string): string => /^Pulumi\.(.+)\.yaml$/.exec(basename(file))?.[1] ?? file;

/**
 * @returns The settings in `file` (`Pulumi.<stack>.yaml`), secrets decrypted, and the project's defaults for the others.
 * @throws {ConfigError} If they are not what the project declares.
 */
export async function readSettings(project: Project, file: string, open: Keyring = keyring()): Promise<Settings> {
  const stored = existsSync(file) ? (parse(readFileSync(file, "utf8")) ?? {}) : {};
  if (stored.secretsprovider && stored.secretsprovider !== "passphrase")
    throw unsupported(`${file}: secretsprovider "${stored.secretsprovider}"`);
  const entries = Object.entries((stored.config ?? {}) as { [key: string]: Value });
  const secretEntries = entries.filter(([, value]) => hasSecure(value));
  const crypter = secretEntries.length > 0 ? await open(stored.encryptionsalt) : undefined;
  const opened = (value: Value): Value =>
    mapValue(value, (part) => (crypter !== undefined && isSecure(part) ? crypter.decrypt(part.secure) : part));
  const config = Object.fromEntries(entries.map(([key, value]) => [fullKey(project, key), settingText(opened(value))]));
  const secretKeys = secretEntries.map(([key]) => fullKey(project, key));
  const textKeys = entries.filter(([, value]) => typeof value === "string").map(([key]) => fullKey(project, key));
  return { config: completeConfig(stackName(file), project.schema, { config, secretKeys, textKeys }), secretKeys };
}

/** @returns What the file holds for a value that is given as text: a list or a map is given as JSON. */
function storedValue({ schema }: Project, name: string, value: string): unknown {
  const declaration = schema[name];
  if (declaration === undefined || !isStructure(declaration)) return value;
  try {
    return JSON.parse(value);
  } catch {
    const fault = `it is declared as ${declaration.type}, so give it as JSON`;
    throw new ConfigError(`${name} can't be ${JSON.stringify(value)}: ${fault}`);
  }
}

/** Writes one value into the stack's settings file, encrypted where `secret`; comments in the file are kept. */
export async function setConfig(
  project: Project,
  file: string,
  key: string,
  value: string,
  secret: boolean,
  open: Keyring = keyring(),
): Promise<void> {
  const document = parseDocument(existsSync(file) ? readFileSync(file, "utf8") : "");
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  const name = fullKey(project, key);
  const set = (stored: unknown): void => document.setIn(["config", name], document.createNode(stored));
  if (secret) {
    const crypter = await open(document.get("encryptionsalt") as string | undefined);
    document.set("encryptionsalt", crypter.salt);
    set({ secure: crypter.encrypt(value) });
  } else set(storedValue(project, name, value));
  writeFileSync(file, document.toString({ lineWidth: 0 }));
}
