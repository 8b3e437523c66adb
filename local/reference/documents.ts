import { commandDocuments } from "./command-documents.ts";
import { block, table } from "./markdown.ts";
import { type Member, Types } from "./types.ts";

const commandFiles = ["src/cli/developer-commands.ts", "src/cli/operator-commands.ts"];
const resultFile = "src/cli/result.ts";
const outputsFile = "stack.ts";

const rowOf = ({ name, type, description }: Member) => [`\`${name}\``, `\`${type}\``, description];

/** Renders the JSON documents that commands print. */
export function jsonPage(): string {
  const types = new Types([...commandFiles, resultFile]);
  const documents = commandFiles.flatMap((file) => commandDocuments(types, file));
  documents.sort((a, b) => a.command.localeCompare(b.command));
  const named = types.referencedFrom(documents.map(({ result }) => result));
  return [
    "# JSON documents",
    "With `--json`, a command prints one document on standard output and nothing else there.",
    table(
      ["command", "document", "description"],
      documents.map(({ command, type, description }) => [`\`${command}\``, `\`${type}\``, description]),
    ),
    "A command that fails without a result prints an error in its place:",
    block([types.source(resultFile, "ErrorDocument")], "ts"),
    "## Types",
    block([named.join("\n\n")], "ts"),
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
