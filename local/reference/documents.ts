import { block, table } from "../../src/cli/docs/markdown.ts";
import { type Member, Types } from "./types.ts";

const jsonFile = "src/cli/json-documents.ts";
const outputsFile = "components/stack.ts";

const rowOf = ({ name, type, description }: Member) => [`\`${name}\``, `\`${type}\``, description];

/** Renders the JSON documents that commands print. */
export function jsonPage(): string {
  const types = new Types([jsonFile]);
  return [
    "# JSON documents",
    "With `--json`, a command prints one document on standard output and nothing else there.",
    table(["command", "document", "description"], types.members(jsonFile, "JsonDocuments").map(rowOf)),
    "A command that fails without a result prints an error in its place:",
    block([types.source(jsonFile, "ErrorDocument")], "ts"),
    "## Types",
    block([types.referenced(jsonFile, "JsonDocuments").join("\n\n")], "ts"),
  ].join("\n\n");
}

/**
 * Renders the stack's outputs.
 *
 * @throws {Error} If the program's exports differ from the interface that describes them.
 */
export function outputsPage(): string {
  const types = new Types(["index.ts", outputsFile]);
  const outputs = types.members(outputsFile, "StackOutputs");
  const names = outputs.map(({ name }) => name).sort();
  const exported = [...types.exportedNames("index.ts")].sort();
  if (names.join() !== exported.join()) throw new Error(`index.ts exports ${exported}, StackOutputs has ${names}`);
  return [
    "# Outputs",
    "`pulumi stack output` prints these after an update.",
    table(["output", "type", "description"], outputs.map(rowOf)),
    block([types.referenced(outputsFile, "StackOutputs").join("\n\n")], "ts"),
  ].join("\n\n");
}
