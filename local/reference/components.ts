import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { table } from "./markdown.ts";
import { type ComponentClass, type Member, Types } from "./types.ts";

/** Renders the component resources with their arguments and outputs. */
export function componentsPage(): string {
  const files = readdirSync(join(projectRoot, "components"))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => `components/${name}`);
  const types = new Types(files);
  return [
    "# Components",
    "Component resources of the program, in [`components/`](../../components). " +
      "An `Input<T>` is a value or an output of another resource.",
    ...files.flatMap((file) => types.components(file).flatMap((component) => sectionOf(file, component))),
  ].join("\n\n");
}

function sectionOf(file: string, { name, token, description, args, outputs }: ComponentClass): string[] {
  return [
    `## ${name}`,
    description,
    `Type \`${token}\`, in [\`${file}\`](../../${file}).`,
    table(
      ["argument", "type", "default", "description"],
      args.map((arg) => [...nameAndType(arg), defaultOf(arg), arg.description]),
    ),
    table(
      ["output", "type", "description"],
      outputs.map((output) => [...nameAndType(output), output.description]),
    ),
  ];
}

function nameAndType({ name, type }: Member): string[] {
  return [`\`${name}\``, `\`${type}\``];
}

function defaultOf({ optional, defaultValue }: Member): string {
  return optional ? (defaultValue ?? "none") : "required";
}
