import { isMap, isScalar, parseDocument } from "yaml";
import { parseSettingsSchema, type SettingDeclaration, settingText } from "../../src/settings/declarations.ts";
import { table } from "./markdown.ts";

/** Settings under a heading: the comment before the first of them. */
interface Group {
  readonly heading: string;
  readonly rows: string[][];
}

/**
 * Renders the settings that a `Pulumi.yaml` declares, grouped as in the file.
 *
 * @throws {Error} If it declares none or one lacks a description.
 */
export function settingsPage(projectFile: string): string {
  const document = parseDocument(projectFile);
  const project = String(document.get("name"));
  const config = document.get("config");
  if (!isMap(config)) throw new Error("Pulumi.yaml has no config section");
  const schema = parseSettingsSchema(project, document.toJS().config);
  const groups: Group[] = [];
  for (const [index, { key }] of config.items.entries()) {
    if (!isScalar(key)) continue;
    const heading = lastLine(key.commentBefore ?? (index === 0 ? config.commentBefore : undefined));
    if (heading !== undefined || groups.length === 0) groups.push({ heading: heading ?? "Settings", rows: [] });
    const name = String(key.value);
    const declaration = schema[name.includes(":") ? name : `${project}:${name}`];
    groups.at(-1)?.rows.push(rowOf(name.replace(`${project}:`, ""), declaration));
  }
  const page = [
    "# Settings",
    "Stack settings, declared in [`Pulumi.yaml`](../../Pulumi.yaml). To change one, run `pulumi config set <name> <value>`, " +
      "with `--secret` for secrets. A setting without a default is unset.",
  ];
  for (const { heading, rows } of groups)
    page.push(`## ${heading}`, table(["setting", "type", "default", "description"], rows));
  return page.join("\n\n");
}

function rowOf(name: string, declaration: SettingDeclaration = {}): string[] {
  const { type, items, description, default: fallback, value = fallback, secret } = declaration;
  if (!description) throw new Error(`Pulumi.yaml: ${name} has no description`);
  const isSecret = secret === true || description.startsWith("Secret: ");
  const shown = value === undefined || value === "" ? "" : `\`${settingText(value)}\``;
  const kind = type === "array" && items !== undefined ? `array of ${items.type}` : (type ?? "string");
  return [`\`${name}\``, isSecret ? `${kind}, secret` : kind, shown, description.replace("Secret: ", "")];
}

function lastLine(comment: string | null | undefined): string | undefined {
  return comment?.trim().split("\n").at(-1)?.trim() || undefined;
}
