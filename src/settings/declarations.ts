import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** Declaration of a setting in `Pulumi.yaml` (https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config). */
export interface SettingDeclaration {
  readonly type?: "string" | "integer" | "boolean" | "array" | "object";
  readonly items?: { readonly type: string };
  readonly description?: string;
  readonly default?: unknown;
  readonly value?: unknown;
  readonly secret?: boolean;
}

/** Settings of a project by full key, such as `unity:image`. */
export type SettingsSchema = Readonly<Record<string, SettingDeclaration>>;

/** Parses the `config` of a `Pulumi.yaml`. A key without a prefix gets the project's name; a plain value is a default. */
export function parseSettingsSchema(
  projectName: string,
  config: Readonly<Record<string, unknown>> | null | undefined,
): SettingsSchema {
  const schema: Record<string, SettingDeclaration> = {};
  for (const [key, value] of Object.entries(config ?? {})) {
    const isDeclaration = typeof value === "object" && value !== null && !Array.isArray(value);
    const fullKey = key.includes(":") ? key : `${projectName}:${key}`;
    schema[fullKey] = isDeclaration ? value : { default: value };
  }
  return schema;
}

/** Reads the settings that the project in a folder declares. */
export function readSettingsSchema(folder: string): SettingsSchema {
  const { name, config } = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  return parseSettingsSchema(name, config);
}

/** Whether a setting is a list or a map, which a stack's file contains as a structure and not as text. */
export function isStructure({ type }: SettingDeclaration): boolean {
  return type === "array" || type === "object";
}

/** Returns a value as Pulumi passes it to a program: text unchanged, others as JSON. */
export function settingText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns the defaults that Pulumi passes to a program for settings that its stack doesn't set. */
export function settingDefaults(schema: SettingsSchema): Record<string, string> {
  const defaults: Record<string, string> = {};
  for (const [key, declaration] of Object.entries(schema)) {
    const value = declaration.default ?? declaration.value;
    if (value !== undefined) defaults[key] = settingText(value);
  }
  return defaults;
}
