import {
  isStructure,
  type SettingDeclaration,
  type SettingsSchema,
  settingDefaults,
} from "../../src/settings/schema.ts";
import { ConfigError } from "./secrets.ts";

/** A stack's settings as text by full key, and which of them are encrypted. */
interface Given {
  readonly config: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
  /** Keys that the stack's file gives a plain text, not a list or a map. */
  readonly textKeys: readonly string[];
}

const fits: Record<NonNullable<SettingDeclaration["type"]>, (text: string) => boolean> = {
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
 * Completes a stack's settings with the project's defaults.
 *
 * @throws {ConfigError} As the Pulumi CLI does: for what is missing, of another type, or not encrypted though it must be.
 */
export function completeConfig(stack: string, schema: SettingsSchema, given: Given): Record<string, string> {
  const config = { ...settingDefaults(schema), ...given.config };
  const missing = Object.keys(schema).filter((key) => config[key] === undefined);
  if (missing.length > 0) throw new ConfigError(`Stack '${stack}' is missing configuration: ${missing.join(", ")}`);
  for (const [key, declaration] of Object.entries(schema)) {
    const { type, items, secret } = declaration;
    if (type === undefined) continue;
    const of = `Stack '${stack}' with configuration key '${key}'`;
    if (secret && !given.secretKeys.includes(key)) throw new ConfigError(`${of} must be encrypted as it's secret`);
    if ((isStructure(declaration) && given.textKeys.includes(key)) || !fits[type](config[key] ?? ""))
      throw new ConfigError(`${of} must be of type '${items === undefined ? type : `${type}<${items.type}>`}'`);
  }
  return config;
}
