import { isMap, isScalar, parseDocument } from "yaml";
import { table } from "../../src/cli/docs/markdown.ts";
import { parseSettingsSchema, type SettingDeclaration, settingText } from "../../src/settings/schema.ts";

/** Settings under one heading, as a comment before the first of them has it. */
interface Group {
  readonly heading: string;
  readonly keys: string[];
}

/** @returns What a `Pulumi.yaml` declares of each setting, grouped as there. @throws {Error} If it declares none. */
export function settingsPage(projectFile: string): string {
  const document = parseDocument(projectFile);
  const project = String(document.get("name"));
  const config = document.get("config");
  if (!isMap(config)) throw new Error("Pulumi.yaml declares no settings");
  const schema = parseSettingsSchema(project, document.toJS().config);
  const groups: Group[] = [];
  for (const [index, { key }] of config.items.entries()) {
    if (!isScalar(key)) continue;
    const heading = lastLine(key.commentBefore ?? (index === 0 ? config.commentBefore : undefined));
    if (heading !== undefined || groups.length === 0) groups.push({ heading: heading ?? "Settings", keys: [] });
    groups.at(-1)?.keys.push(String(key.value));
  }
  return [
    "# Settings",
    `A stack's settings, as [\`Pulumi.yaml\`](../../Pulumi.yaml) declares them: \`pulumi config set <name> <value>\`; ` +
      "secrets with `--secret`. One without a default is not set.",
    ...groups.flatMap(({ heading, keys }) => [
      `## ${heading}`,
      table(
        ["setting", "type", "default", "what it is"],
        keys.map((key) =>
          describe(key.replace(`${project}:`, ""), schema[key.includes(":") ? key : `${project}:${key}`]),
        ),
      ),
    ]),
  ].join("\n\n");
}

/** @throws {Error} If nothing says what a setting is for. */
function describe(name: string, declaration: SettingDeclaration = {}): string[] {
  const { type, items, description, default: fallback, value = fallback, secret } = declaration;
  if (!description) throw new Error(`Pulumi.yaml: nothing says what ${name} is for`);
  const isSecret = secret === true || description.startsWith("Secret: ");
  const shown = value === undefined || value === "" ? "" : `\`${settingText(value)}\``;
  const kind = type === "array" && items !== undefined ? `array of ${items.type}` : (type ?? "string");
  return [`\`${name}\``, isSecret ? `${kind}, secret` : kind, shown, description.replace("Secret: ", "")];
}

/** @returns The last line of a comment, which is the heading of what follows. */
function lastLine(comment: string | null | undefined): string | undefined {
  return comment?.trim().split("\n").at(-1)?.trim() || undefined;
}
