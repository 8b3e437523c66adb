import { Command, InvalidArgumentError, Option } from "commander";
import { addBackendOptions } from "../backend-options.ts";
import { runs } from "../runs.ts";

const help =
  "Alembic makes the file, in the Python environment that `unity lock` uses: nothing needs to be installed by hand.";

/** @returns The command `unity revision`. */
export function revisionProgram(): Command {
  const program = addBackendOptions(new Command("revision"))
    .description("Make the file of a new Alembic revision on the chain's head.")
    .addOption(new Option("-m, --message <title>", "its title").argParser(titleOf).makeOptionMandatory())
    .addOption(new Option("--rev-id <id>", "its id, instead of one that Alembic makes up").argParser(idOf))
    .option("--merge", "join several heads into one, where two revisions were made on the same head");
  return runs(program, { doing: "Making a revision", help, load: () => import("./run.ts") });
}

/** A title lands between the quotes of the file's docstring. */
function titleOf(text: string): string {
  const title = text.trim();
  if (title === "") throw new InvalidArgumentError('It says what the revision does, such as "Add a table".');
  if (/[\n\r\\]|"""/.test(title))
    throw new InvalidArgumentError("It is one line, without backslashes or three quotes.");
  return title;
}

/** The column `alembic_version.version_num` holds 32 characters, and Alembic gives `@`, `+`, `-` and `:` a meaning. */
function idOf(text: string): string {
  if (["head", "heads", "base"].includes(text))
    throw new InvalidArgumentError("head, heads and base mean something else to Alembic.");
  if (!/^\w{1,32}$/.test(text)) throw new InvalidArgumentError("It is at most 32 letters, digits and underscores.");
  return text;
}
