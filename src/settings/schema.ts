import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** One setting as `Pulumi.yaml` declares it (https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config). */
export interface SettingDeclaration {
  readonly type?: "string" | "integer" | "boolean" | "array" | "object";
  readonly items?: { readonly type: string };
  readonly description?: string;
  readonly default?: unknown;
  readonly value?: unknown;
  readonly secret?: boolean;
}

/** A project's settings by full key, such as `unity:image`. */
export type SettingsSchema = Readonly<Record<string, SettingDeclaration>>;

/** @returns What `config` of a `Pulumi.yaml` declares; a key without a prefix has the project's. */
export function parseSettingsSchema(
  projectName: string,
  config: Readonly<Record<string, unknown>> | null | undefined,
): SettingsSchema {
  const declared = Object.entries(config ?? {}).map(([key, value]) => {
    const isDeclaration = typeof value === "object" && value !== null && !Array.isArray(value);
    return [key.includes(":") ? key : `${projectName}:${key}`, isDeclaration ? value : { default: value }] as const;
  });
  return Object.fromEntries(declared);
}

/** @returns What the project in `folder` declares. */
export function readSettingsSchema(folder: string): SettingsSchema {
  const { name, config } = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  return parseSettingsSchema(name, config);
}

/** @returns Whether a setting is a list or a map, which a stack's file holds as such and not as a text. */
export function isStructure({ type }: SettingDeclaration): boolean {
  return type === "array" || type === "object";
}

/** @returns A value as Pulumi hands it to a program: a text as it is, all else as JSON. */
export function settingText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @returns What Pulumi hands a program for the settings that its stack leaves out. */
export function settingDefaults(schema: SettingsSchema): Record<string, string> {
  const given = Object.entries(schema).map(([key, { value, default: fallback }]) => [key, fallback ?? value] as const);
  return Object.fromEntries(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, settingText(value)]])));
}
