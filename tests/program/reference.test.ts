import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { referenceCommand, referenceFiles } from "../../local/reference/files.ts";
import { settingsPage } from "../../local/reference/settings.ts";
import { visibleCommands } from "../../src/cli/command.ts";
import type { GeneratedFile } from "../../src/cli/generated-files.ts";
import { unityProgram } from "../../src/cli/program.ts";
import { projectRoot } from "../../src/paths.ts";
import { readSettingsSchema } from "../../src/settings/declarations.ts";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

describe("the reference", () => {
  let files: readonly GeneratedFile[];
  before(() => {
    files = referenceFiles();
  });

  it(`matches the sources (to update, run: ${referenceCommand})`, () => {
    for (const { path, text } of files) assert.equal(read(path), text, `${path}: ${referenceCommand}`);
  });

  it("contains all commands, options, settings, and components", () => {
    const commands = read("docs/reference/commands.md");
    for (const command of visibleCommands(unityProgram())) {
      const section = commands.split(`## pulumi-alembic ${command.name()}\n`)[1]?.split("\n## ")[0] ?? "";
      for (const { flags } of command.options) assert.ok(section.includes(`| \`${flags}\` |`), flags);
    }
    const settings = read("docs/reference/settings.md");
    for (const key of Object.keys(readSettingsSchema(projectRoot))) {
      assert.ok(settings.includes(`| \`${key.replace("unity:", "")}\` |`), key);
    }
    const components = read("docs/reference/components.md");
    assert.match(components, /\| `gate\(spec: .*\)/);
    for (const name of readdirSync(join(projectRoot, "components"))) {
      const source = read(`components/${name}`);
      for (const [, type] of source.matchAll(/^export class (\w+) extends pulumi\.ComponentResource/gm)) {
        assert.ok(components.includes(`## ${type}\n`), type);
      }
      for (const [, name] of source.matchAll(/^export (?:async )?function (\w+)\(args: \w+Args/gm))
        assert.ok(components.includes(`## ${name}\n`), name);
    }
  });

  it("contains no unescaped HTML tag", () => {
    for (const { path, text } of files) {
      assert.doesNotMatch(text.replaceAll(/```[\s\S]*?```|`[^`\n]*`|<!--.*?-->/g, ""), /<[a-z]/i, path);
    }
  });
});

describe("the settings page", () => {
  const project = (config: string) => `name: unity\nconfig:\n${config}`;
  const replicas = "  unity:replicas:\n    type: integer\n    default: 1\n    description: Backend pods.\n";

  it("lists name, type, default, and description under the preceding comment", () => {
    const more = "\n  # Where to\n  context:\n    type: string\n    default: ''\n    description: A context.\n";
    const page = settingsPage(project(`  # The backend\n${replicas}${more}`));
    assert.match(page, /^## The backend\n\n.*\n.*\n\| `replicas` \| integer \| `1` \| Backend pods\. \|$/m);
    assert.match(page, /^## Where to\n\n.*\n.*\n\| `context` \| string \| {2}\| A context\. \|$/m);
  });

  it("marks secrets by key or description", () => {
    const page = settingsPage(
      project("  unity:a:\n    secret: true\n    description: One.\n  unity:b:\n    description: 'Secret: another.'\n"),
    );
    assert.match(page, /\| `a` \| string, secret \| {2}\| One\. \|\n\| `b` \| string, secret \| {2}\| another\. \|/);
  });

  it("rejects a setting without a description", () => {
    assert.throws(() => settingsPage(project("  unity:x:\n    type: string\n")), /Pulumi\.yaml: x has no description/);
  });
});
