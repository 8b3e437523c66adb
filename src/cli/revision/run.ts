import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { commandLine, isInstalled } from "../../command-line.ts";
import { headError, type LockedAlembic, plainAlembic } from "../../lockfile/lock.ts";
import { parseReviewedLock } from "../../lockfile/parse-lock.ts";
import { lockFileName } from "../../paths.ts";
import { alembicCall, backendArgs, backendPython, runAlembicScript } from "../alembic.ts";
import { styled } from "../highlight.ts";
import { rewriteCommand } from "../lock/report.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { type RebaseOptions, type RebaseOutcome, rebase } from "./rebase.ts";

interface RevisionOptions extends RebaseOptions {
  /** Absent with `rebase`. */
  readonly message?: string;
  readonly rebase?: boolean;
  readonly revId?: string;
  readonly merge?: boolean;
}

/** Statements of a revision. */
export interface RevisionSql {
  readonly upgrade: readonly string[];
  readonly downgrade: readonly string[];
}

/** The output of `new_revision.py`. */
interface Output {
  /** Heads of the chain before. */
  readonly heads: readonly string[];
  /** `null` if the number of heads doesn't fit the options. */
  readonly created: { readonly revision: string; readonly file: string } | null;
}

/** The outcome of `pulumi-alembic revision`. */
export interface RevisionOutcome {
  readonly revision: string;
  /** Heads of the chain before. */
  readonly downRevisions: readonly string[];
  /** Path of the created file, relative to the current folder. */
  readonly file: string;
  /** The command that records the finished file in the lockfile. */
  readonly command: string;
}

const script = join(import.meta.dirname, "new_revision.py");

/**
 * Creates a revision file with Alembic, or re-parents revisions.
 *
 * @returns The created file; with `--rebase`, the re-parented revisions.
 */
export async function run({
  options,
  progress,
}: Call<RevisionOptions>): Promise<Result<RevisionOutcome | RebaseOutcome>> {
  if (options.rebase) return rebase(options, progress);
  const outcome = await createRevision(options, await backendPython(options, progress.print));
  return { document: outcome, text: describe(outcome), exitCode: exitCodes.success };
}

/**
 * Creates a revision file, by default one without statements.
 *
 * @throws {CommandError} If the chain or Alembic rejects it.
 */
export async function createRevision(
  options: RevisionOptions,
  python: string,
  sql?: RevisionSql,
): Promise<RevisionOutcome> {
  if (sql === undefined) return runScript(options, python, []);
  const folder = mkdtempSync(join(tmpdir(), "pulumi-alembic-revision-"));
  try {
    const file = join(folder, "sql.json");
    writeFileSync(file, JSON.stringify(sql));
    return await runScript(options, python, ["--sql", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runScript(options: RevisionOptions, python: string, more: readonly string[]): Promise<RevisionOutcome> {
  const { message = "", revId, merge } = options;
  const backendFolder = resolve(options.backend);
  const args: string[] = [...more];
  if (revId !== undefined) args.push("--rev-id", revId);
  if (merge) args.push("--merge");
  const { heads, created } = await runAlembicScript<Output>({
    script,
    args: [...args, "--", message],
    backendFolder,
    python,
    alembic: alembicCall(options, recordedCall(backendFolder)),
    explain: (reason) => `Alembic can't create a revision in ${backendFolder}: ${reason}`,
  });
  if (created === null)
    throw new CommandError(
      headError({ heads }) ?? `nothing to merge: the chain has one head, ${heads.join()}\nRemove --merge.`,
    );
  return {
    revision: created.revision,
    downRevisions: heads,
    file: relative(process.cwd(), join(backendFolder, created.file)),
    command: rewriteCommand([], backendArgs(options)),
  };
}

/** Returns how the lockfile says that Alembic is called. */
function recordedCall(backendFolder: string): LockedAlembic {
  const path = join(backendFolder, lockFileName);
  return existsSync(path) ? parseReviewedLock(readFileSync(path, "utf8"), path).alembic : plainAlembic;
}

/** Steps for Unity's own chain. */
const repositorySteps = [
  `  3. ${commandLine("docs")}     # updates docs/operations and k8s`,
  "From there to production: docs/how-to/new-revision.md",
];

function describe({ revision, downRevisions, file, command }: RevisionOutcome): string {
  const position = downRevisions.length > 0 ? `after ${downRevisions.join(" and ")}` : "the first of the chain";
  return [
    styled("good", `Created ${file}: revision ${revision}, ${position}`),
    "Next steps:",
    "  1. Write its upgrade and downgrade.",
    `  2. ${command}     # records its SQL and reports findings`,
    ...(isInstalled ? [] : repositorySteps),
  ].join("\n");
}
