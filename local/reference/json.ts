import { block, table } from "../../src/cli/docs/markdown.ts";
import { Types } from "./types.ts";

const file = "src/cli/json-documents.ts";

/** @returns What `--json` prints, as TypeScript has it. */
export function jsonPage(): string {
  const types = new Types([file]);
  const documents = types.interface(file, "JsonDocuments");
  const named = types.reached(file, "JsonDocuments");
  return [
    "# JSON documents",
    "With `--json` a command prints one document on standard output and nothing else there.",
    table(
      ["command", "document", "what it is"],
      documents.map(({ name, type, description }) => [`\`${name}\``, `\`${type}\``, description]),
    ),
    "A command that ends without a result prints an error in its place, and exits with what it says:",
    block([types.source(file, "ErrorDocument")], "ts"),
    "## Types",
    block(
      named.flatMap(({ source }, index) => [...(index ? [""] : []), source]),
      "ts",
    ),
  ].join("\n\n");
}
