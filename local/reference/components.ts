import { readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { type ComponentClass, componentsIn, type FunctionWithArgs, functionsIn } from "./component-types.ts";
import { table } from "./markdown.ts";
import { type Member, Types } from "./types.ts";

/** Renders the component resources with their arguments, outputs, and methods, and the functions that plan them. */
export function componentsPage(): string {
  const files = readdirSync(join(projectRoot, "components"))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => `components/${name}`);
  const types = new Types(files);
  return [
    "# Components",
    "Functions and component resources for programs, in [`components/`](../../components). " +
      "An `Input<T>` is a value or an output of another resource.",
    ...files.flatMap((file) => functionsIn(types, file).flatMap((each) => functionSection(file, each))),
    ...files.flatMap((file) => componentsIn(types, file).flatMap((component) => sectionOf(file, component))),
  ].join("\n\n");
}

function functionSection(file: string, { name, description, args, types }: FunctionWithArgs): string[] {
  return [
    `## ${name}`,
    description,
    `A function, in [\`${file}\`](../../${file}).`,
    argumentTable(args),
    ...types.flatMap((type) => [`### ${type.name}`, type.description, argumentTable(type.members)]),
  ];
}

function argumentTable(args: readonly Member[]): string {
  return table(
    ["argument", "type", "default", "description"],
    args.map((arg) => [...nameAndType(arg), defaultOf(arg), arg.description]),
  );
}

function sectionOf(file: string, { name, token, description, args, outputs, methods }: ComponentClass): string[] {
  const methodRows = methods.map(({ signature, ...method }) => [`\`${signature}\``, method.description]);
  return [
    `## ${name}`,
    description,
    `Type \`${token}\`, in [\`${file}\`](../../${file}).`,
    argumentTable(args),
    table(
      ["output", "type", "description"],
      outputs.map((output) => [...nameAndType(output), output.description]),
    ),
    ...(methods.length > 0 ? [table(["method", "description"], methodRows)] : []),
  ];
}

function nameAndType({ name, type }: Member): string[] {
  return [`\`${name}\``, `\`${type}\``];
}

function defaultOf({ optional, defaultValue }: Member): string {
  return optional ? (defaultValue ?? "none") : "required";
}
