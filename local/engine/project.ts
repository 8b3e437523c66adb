import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isMap, parse, parseDocument } from "yaml";
import { replaceFile } from "../../src/replace-file.ts";
import {
  isStructure,
  parseSettingsSchema,
  type SettingDeclaration,
  type SettingsSchema,
  settingDefaults,
  settingText,
} from "../../src/settings/declarations.ts";
import { ConfigError, unsupported } from "./errors.ts";
import { type Keyring, keyring } from "./secrets.ts";
import { isObject, mapValue, type Value } from "./values.ts";

/** The parts of `Pulumi.yaml` that the engine uses. */
export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly main: string;
  readonly schema: SettingsSchema;
}

/** A stack's settings as the program gets them: full keys and strings. */
export interface Settings {
  readonly config: Readonly<Record<string, string>>;
  /** Keys of encrypted settings. */
  readonly secretKeys: readonly string[];
}

/** Reads `Pulumi.yaml` in `folder`. */
export function readProject(folder: string): Project {
  const file = join(folder, "Pulumi.yaml");
  if (!existsSync(file)) throw new ConfigError(`no Pulumi.yaml in ${folder}: use --cwd <folder>`);
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
 * Reads a stack's settings from `file` (`Pulumi.<stack>.yaml`), decrypts secrets, and adds the project's defaults.
 *
 * @throws {ConfigError} If they don't match the project's declarations.
 */
export async function readSettings(project: Project, file: string, open: Keyring = keyring()): Promise<Settings> {
  const stored = existsSync(file) ? (parse(readFileSync(file, "utf8")) ?? {}) : {};
  if (stored.secretsprovider && stored.secretsprovider !== "passphrase")
    throw unsupported(`${file}: secretsprovider "${stored.secretsprovider}"`);
  const entries = Object.entries((stored.config ?? {}) as { [key: string]: Value });
  const crypter = entries.some(([, value]) => hasSecure(value)) ? await open(stored.encryptionsalt) : undefined;
  const decrypt = (part: Value): Value =>
    crypter !== undefined && isSecure(part) ? crypter.decrypt(part.secure) : part;
  const config = settingDefaults(project.schema);
  const secretKeys: string[] = [];
  const textKeys: string[] = [];
  for (const [key, value] of entries) {
    const name = fullKey(project, key);
    config[name] = settingText(mapValue(value, decrypt));
    if (hasSecure(value)) secretKeys.push(name);
    if (typeof value === "string") textKeys.push(name);
  }
  validate(stackName(file), project.schema, { config, secretKeys }, textKeys);
  return { config, secretKeys };
}

const typeTests: Record<NonNullable<SettingDeclaration["type"]>, (text: string) => boolean> = {
  string: () => true,
  integer: (text) => /^[-+]?[0-9]+$/.test(text),
  boolean: (text) => text === "true" || text === "false",
  array: (text) => Array.isArray(parseJson(text)),
  object: (text) => /^\s*\{/.test(text) && parseJson(text) !== undefined,
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Validates settings as the Pulumi CLI does.
 *
 * @param textKeys - Keys that the stack's file gives a text, where the CLI expects lists and maps as such.
 * @throws {ConfigError} If a setting is missing, of another type, or not encrypted though declared as secret.
 */
function validate(
  stack: string,
  schema: SettingsSchema,
  { config, secretKeys }: Settings,
  textKeys: readonly string[],
): void {
  const missing = Object.keys(schema).filter((key) => config[key] === undefined);
  if (missing.length > 0) throw new ConfigError(`Stack '${stack}' is missing configuration: ${missing.join(", ")}`);
  for (const [key, declaration] of Object.entries(schema)) {
    const { type, items, secret } = declaration;
    if (type === undefined) continue;
    const subject = `Stack '${stack}' with configuration key '${key}'`;
    if (secret && !secretKeys.includes(key)) throw new ConfigError(`${subject} must be encrypted as it's secret`);
    const isText = isStructure(declaration) && textKeys.includes(key);
    if (isText || !typeTests[type](config[key] ?? ""))
      throw new ConfigError(`${subject} must be of type '${items === undefined ? type : `${type}<${items.type}>`}'`);
  }
}

/** Returns the value to store for a setting given as text: lists and maps are given as JSON. */
function storedValue({ schema }: Project, name: string, value: string): unknown {
  const declaration = schema[name];
  if (declaration === undefined || !isStructure(declaration)) return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new ConfigError(`invalid ${name} ${JSON.stringify(value)}: must be JSON of type ${declaration.type}`);
  }
}

/** Writes a setting into the stack's file, encrypted if `secret`; comments in the file are kept. */
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
  let stored: unknown;
  if (secret) {
    const crypter = await open(document.get("encryptionsalt") as string | undefined);
    document.set("encryptionsalt", crypter.salt);
    stored = { secure: crypter.encrypt(value) };
  } else {
    stored = storedValue(project, name, value);
  }
  document.setIn(["config", name], document.createNode(stored));
  replaceFile(file, document.toString({ lineWidth: 0 })); // an update that starts meanwhile reads all of it
}
