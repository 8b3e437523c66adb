import { block, table } from "../../src/cli/docs/markdown.ts";
import { Types } from "./types.ts";

/** @returns What the stack's outputs mean. @throws {Error} If the program exports others than are described. */
export function outputsPage(): string {
  const types = new Types(["index.ts", "components/stack.ts"]);
  const described = types.interface("components/stack.ts", "StackOutputs");
  const names = described.map(({ name }) => name).sort();
  const exported = [...types.exportedNames("index.ts")].sort();
  if (names.join() !== exported.join()) throw new Error(`index.ts exports ${exported}, StackOutputs has ${names}`);
  return [
    "# Outputs",
    "What `pulumi stack output` shows after an update.",
    table(
      ["output", "type", "what it is"],
      described.map(({ name, type, description }) => [`\`${name}\``, `\`${type}\``, description]),
    ),
    block(
      types
        .reached("components/stack.ts", "StackOutputs")
        .flatMap(({ source }, index) => [...(index ? [""] : []), source]),
      "ts",
    ),
  ].join("\n\n");
}
