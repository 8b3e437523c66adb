import { join, relative, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { headFault } from "../../migrations/lock.ts";
import { runAlembicScript } from "../alembic-script.ts";
import { addBackendOptions, type BackendOptions, backendPython, givenBackendOptions } from "../backend-options.ts";
import { CommandError } from "../command-error.ts";
import { rewriteCommand } from "../lock/report.ts";

interface RevisionOptions extends BackendOptions {
  readonly message: string;
  readonly revId?: string;
  readonly merge?: boolean;
  readonly json?: boolean;
}

/** What `new_revision.py` writes. */
interface Answer {
  /** The chain's heads before. */
  readonly heads: readonly string[];
  /** `null`: these heads don't fit what was asked. */
  readonly made: { readonly revision: string; readonly file: string } | null;
}

/** What the command did; `--json` prints it. */
interface Outcome {
  readonly revision: string;
  readonly downRevisions: readonly string[];
  /** Relative to the current folder. */
  readonly file: string;
  /** The command that records the file once it is written. */
  readonly command: string;
}

const script = join(import.meta.dirname, "new_revision.py");

const help = `
Alembic makes the file, in the Python environment that \`unity lock\` uses: nothing needs to be installed by hand.

Exit codes:
  0  the file is made
  2  wrong usage, or the chain or Alembic does not allow it: no file is made`;

/** @returns The command `unity revision`. */
export function revisionProgram(): Command {
  return addBackendOptions(new Command("revision"))
    .description("Make the file of a new Alembic revision on the chain's head.")
    .addOption(new Option("-m, --message <title>", "its title").argParser(titleOf).makeOptionMandatory())
    .addOption(new Option("--rev-id <id>", "its id, instead of one that Alembic makes up").argParser(idOf))
    .option("--merge", "join several heads into one, where two revisions were made on the same head")
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: RevisionOptions) => {
      const outcome = await makeRevision(options);
      process.stdout.write(`${options.json ? JSON.stringify(outcome, null, 2) : describe(outcome)}\n`);
    });
}

async function makeRevision(options: RevisionOptions): Promise<Outcome> {
  const { message, revId, merge } = options;
  const backendFolder = resolve(options.backend);
  const { heads, made } = await runAlembicScript<Answer>({
    script,
    args: [...(revId === undefined ? [] : ["--rev-id", revId]), ...(merge ? ["--merge"] : []), "--", message],
    backendFolder,
    python: await backendPython(options),
    explain: (reason) => `Alembic can't make a revision in ${backendFolder}: ${reason}`,
  });
  if (made === null) {
    const toMerge = `There is nothing to merge: the chain ends at ${heads.join()}. Leave out --merge.`;
    throw new CommandError(headFault({ heads }) ?? toMerge);
  }
  return {
    revision: made.revision,
    downRevisions: heads,
    file: relative(process.cwd(), join(backendFolder, made.file)),
    command: rewriteCommand([], givenBackendOptions(options)),
  };
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

function describe({ revision, downRevisions, file, command }: Outcome): string {
  const after = downRevisions.length > 0 ? `, after ${downRevisions.join(" and ")}` : ", the first of the chain";
  return [
    `${file} is made: revision ${revision}${after}`,
    "Next:",
    "  1. Write its upgrade and downgrade.",
    `  2. ${command}     # records its SQL, and says what is found against it`,
    "  3. npm run unity -- docs     # writes docs/operations and k8s anew",
    "From there to production: docs/how-to/new-revision.md",
  ].join("\n");
}
