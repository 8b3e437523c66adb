import { type Command, InvalidArgumentError, Option } from "commander";
import { projectRoot } from "../paths.ts";
import { addBackendOptions } from "./alembic.ts";
import type { CommandDefinition, ExitCodeMeanings } from "./command.ts";
import { addStackOptions } from "./stack.ts";

/** Commands on the chain of this checkout and the files that are generated from it. */
export const developerCommands: readonly CommandDefinition[] = [
  {
    name: "chain",
    description: "Show the chain as a picture, the tables that it makes, and what a database at its head answers.",
    configure: addStackOptions,
    help: "Name a stack or a context, and the database is asked which revisions it has; else the cluster is left alone.",
    exitCodes: { 0: "the chain is shown", 2: "wrong usage, or the database that was to be asked can't be" },
    progress: "Drawing the chain",
    load: () => import("./chain/run.ts"),
  },
  {
    name: "docs",
    description: "Write what operators read and run: guide, quick start, status, chain picture, check script, YAML.",
    configure: addRenderOptions,
    exitCodes: generatedFilesExitCodes(),
    progress: "Writing the documents",
    load: () => import("./docs/run.ts"),
  },
  {
    name: "lock",
    description: "Write migrations.lock.json, the reviewed record of the chain, from what Alembic says.",
    configure: (command) =>
      addBackendOptions(command)
        .option("--check", "write nothing; say what differs")
        .addOption(
          new Option("--rewrite <revision>", "let this locked revision change or go; repeatable")
            .default([], "none")
            .argParser(collect),
        ),
    exitCodes: {
      0: "the lock says what Alembic says (after writing it, without --check)",
      1: "it differs (--check), or a locked revision differs and was not named with --rewrite: nothing is written",
      2: "wrong usage, or Alembic, the project or Python can't answer",
    },
    progress: "Locking the chain",
    load: () => import("./lock/run.ts"),
  },
  {
    name: "render",
    description: "Write the release as YAML that kubectl alone can apply: the migrate Job, and the backend.",
    configure: addRenderOptions,
    exitCodes: generatedFilesExitCodes(),
    progress: "Rendering",
    load: () => import("./render/run.ts"),
  },
  {
    name: "revision",
    description: "Make the file of a new Alembic revision on the chain's head.",
    configure: (command) =>
      addBackendOptions(command)
        .addOption(new Option("-m, --message <title>", "its title").argParser(parseTitle).makeOptionMandatory())
        .addOption(new Option("--rev-id <id>", "its id, instead of one that Alembic makes up").argParser(parseId))
        .option("--merge", "join several heads into one, where two revisions were made on the same head"),
    help: "Alembic makes the file, in the Python environment that `unity lock` uses: nothing needs to be installed by hand.",
    exitCodes: { 0: "the file is made", 2: "wrong usage, or the chain or Alembic does not allow it: no file is made" },
    progress: "Making a revision",
    load: () => import("./revision/run.ts"),
  },
];

/** Adds the options of commands that render a release into files. */
function addRenderOptions(command: Command): Command {
  return addStackOptions(command)
    .option("--image <reference>", "the backend's image, instead of the stack's")
    .option("--output <folder>", "where the files are", projectRoot)
    .option("--check", "write nothing: say what differs");
}

function generatedFilesExitCodes(): ExitCodeMeanings {
  return {
    0: "the files are written; with --check: they are what would be written",
    1: "with --check: some differ",
    2: "wrong usage, or a file can't be written",
  };
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** A title lands between the quotes of the file's docstring. */
function parseTitle(text: string): string {
  const title = text.trim();
  if (title === "") throw new InvalidArgumentError('It says what the revision does, such as "Add a table".');
  if (/[\n\r\\]|"""/.test(title))
    throw new InvalidArgumentError("It is one line, without backslashes or three quotes.");
  return title;
}

/** The column `alembic_version.version_num` holds 32 characters, and Alembic gives `@`, `+`, `-` and `:` a meaning. */
function parseId(text: string): string {
  if (["head", "heads", "base"].includes(text))
    throw new InvalidArgumentError("head, heads and base mean something else to Alembic.");
  if (!/^\w{1,32}$/.test(text)) throw new InvalidArgumentError("It is at most 32 letters, digits and underscores.");
  return text;
}
