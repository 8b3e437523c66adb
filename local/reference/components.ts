import { readdirSync } from "node:fs";
import { join } from "node:path";
import { table } from "../../src/cli/docs/markdown.ts";
import { projectRoot } from "../../src/paths.ts";
import { type ComponentClass, type Member, Types } from "./types.ts";

/** @returns What each component resource is, takes and gives, by its types and their comments. */
export function componentsPage(): string {
  const files = readdirSync(join(projectRoot, "components"))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => `components/${name}`);
  const types = new Types(files);
  return [
    "# Components",
    "The component resources that the program is made of, each in [`components/`](../../components). " +
      "An `Input<T>` is a value, or an output of another resource.",
    ...files.flatMap((file) => types.components(file).flatMap((each) => describe(file, each))),
  ].join("\n\n");
}

function describe(file: string, { name, token, description, args, outputs }: ComponentClass): string[] {
  return [
    `## ${name}`,
    description,
    `Type \`${token}\`, in [\`${file}\`](../../${file}).`,
    table(
      ["argument", "type", "default", "what it is"],
      args.map((each) => [...nameAndType(each), fallbackOf(each), each.description]),
    ),
    table(
      ["output", "type", "what it is"],
      outputs.map((each) => [...nameAndType(each), each.description]),
    ),
  ];
}

function nameAndType({ name, type }: Member): string[] {
  return [`\`${name}\``, `\`${type}\``];
}

function fallbackOf({ optional, default: fallback = "" }: Member): string {
  return optional ? fallback || "none" : "needed";
}
