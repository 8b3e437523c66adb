import { block, table } from "./markdown.ts";
import { Types } from "./types.ts";

const definitions = ["src/cli/developer-commands.ts", "src/cli/operator-commands.ts"];
const results = "src/cli/result.ts";

/** Returns the page on what `--json` prints, in TypeScript's notation. */
export function jsonPage(): string {
  const types = new Types([...definitions, results]);
  const documents = definitions.flatMap((file) => types.commandDocuments(file));
  documents.sort((a, b) => a.command.localeCompare(b.command));
  const named = types.reachedFrom(documents.map(({ result }) => result));
  return [
    "# JSON documents",
    "With `--json` a command prints one document on standard output and nothing else there.",
    table(
      ["command", "document", "what it is"],
      documents.map(({ command, type, description }) => [`\`${command}\``, `\`${type}\``, description]),
    ),
    "A command that ends without a result prints an error in its place, and exits with what it says:",
    block([types.source(results, "ErrorDocument")], "ts"),
    "## Types",
    block(
      named.flatMap(({ source }, index) => [...(index ? [""] : []), source]),
      "ts",
    ),
  ].join("\n\n");
}
