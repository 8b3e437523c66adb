import { join, relative, resolve } from "node:path";
import { headError } from "../../lockfile/lock.ts";
import { type BackendOptions, backendPython, givenBackendOptions, runAlembicScript } from "../alembic.ts";
import { formats, type Highlight } from "../highlight.ts";
import { rewriteCommand } from "../lock/report.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";

interface RevisionOptions extends BackendOptions {
  readonly message: string;
  readonly revId?: string;
  readonly merge?: boolean;
}

/** The output of `new_revision.py`. */
interface Answer {
  /** The chain's heads before. */
  readonly heads: readonly string[];
  /** `null`: these heads don't fit what was asked. */
  readonly created: { readonly revision: string; readonly file: string } | null;
}

/** What the command did. */
export interface RevisionOutcome {
  readonly revision: string;
  /** What it depends on: the chain's heads before. */
  readonly downRevisions: readonly string[];
  /** Relative to the current folder. */
  readonly file: string;
  /** The command that records the file once it is written. */
  readonly command: string;
}

const script = join(import.meta.dirname, "new_revision.py");

const highlights: readonly Highlight[] = [[/^\S+ is made: .*/, formats.good]];

/**
 * Lets Alembic make the file.
 *
 * @returns The file that was made.
 */
export async function run({ options, progress }: Call<RevisionOptions>): Promise<Result<RevisionOutcome>> {
  const outcome = await makeRevision(options, await backendPython(options, progress.print));
  return { document: outcome, text: describe(outcome), exitCode: exitCodes.success, highlights };
}

async function makeRevision(options: RevisionOptions, python: string): Promise<RevisionOutcome> {
  const { message, revId, merge } = options;
  const backendFolder = resolve(options.backend);
  const { heads, created } = await runAlembicScript<Answer>({
    script,
    args: [...(revId === undefined ? [] : ["--rev-id", revId]), ...(merge ? ["--merge"] : []), "--", message],
    backendFolder,
    python,
    explain: (reason) => `Alembic can't make a revision in ${backendFolder}: ${reason}`,
  });
  if (created === null) {
    const toMerge = `There is nothing to merge: the chain ends at ${heads.join()}. Leave out --merge.`;
    throw new CommandError(headError({ heads }) ?? toMerge);
  }
  return {
    revision: created.revision,
    downRevisions: heads,
    file: relative(process.cwd(), join(backendFolder, created.file)),
    command: rewriteCommand([], givenBackendOptions(options)),
  };
}

function describe({ revision, downRevisions, file, command }: RevisionOutcome): string {
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
