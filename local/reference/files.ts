import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedFile } from "../../src/cli/generated-files.ts";
import { projectRoot } from "../../src/paths.ts";
import { commandsPage } from "./commands.ts";
import { componentsPage } from "./components.ts";
import { jsonPage } from "./json.ts";
import { outputsPage } from "./outputs.ts";
import { withRooms } from "./rooms.ts";
import { settingsPage } from "./settings.ts";

/** The command that makes the reference. */
export const referenceCommand = "make reference";

/** @returns The reference of this project, made from its own sources. */
export function referenceFiles(): readonly GeneratedFile[] {
  const origin = `<!-- Made by \`${referenceCommand}\` from the sources. Change those, not this file. -->`;
  const pages = {
    "commands.md": commandsPage(),
    "components.md": componentsPage(),
    "json.md": jsonPage(),
    "outputs.md": outputsPage(),
    "settings.md": settingsPage(readFileSync(join(projectRoot, "Pulumi.yaml"), "utf8")),
  };
  const design = "docs/design.md";
  return [
    ...Object.entries(pages).map(([name, text]) => ({
      path: `docs/reference/${name}`,
      text: `${origin}\n\n${text.trimEnd()}\n`,
    })),
    { path: design, text: withRooms(readFileSync(join(projectRoot, design), "utf8")) },
  ];
}
