import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { commandLine } from "../../command-line.ts";
import { compareLocks, type Difference, rejectedDifferences } from "../../lockfile/compare-locks.ts";
import { formatLock } from "../../lockfile/format-lock.ts";
import { alembicOptions, type Lock, lockVersion, plainAlembic } from "../../lockfile/lock.ts";
import { parseReviewedLock } from "../../lockfile/parse-lock.ts";
import { evidenceOf, staleEvidence, withEvidence } from "../../lockfile/rehearsal.ts";
import { defaultVersionTable } from "../../lockfile/version-table.ts";
import { configMapError, readRunnerFiles } from "../../manifests/runner-files.ts";
import { lockFileName } from "../../paths.ts";
import { replaceFile } from "../../replace-file.ts";
import { alembicCall, alembicCommand, type BackendOptions, backendArgs, backendPython } from "../alembic.ts";
import { styled } from "../highlight.ts";
import type { Progress } from "../progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { annotate } from "./annotate.ts";
import { renderChain, type UpgradeLines } from "./rendered-chain.ts";
import { describeDifferences, describeLimitations, rewriteCommand, summarize } from "./report.ts";

/** Options of `pulumi-alembic lock`. */
export interface LockOptions extends BackendOptions {
  readonly check?: boolean;
  readonly rewrite: readonly string[];
}

/** The outcome of `pulumi-alembic lock`. */
export interface LockOutcome {
  /** Path of the lockfile. */
  readonly lock: string;
  /** Heads of the chain. */
  readonly heads: readonly string[];
  /** Number of revisions. */
  readonly revisions: number;
  /** Differences between the lockfile before and the chain. */
  readonly differences: readonly Difference[];
  /** Whether the text differs although no revision does, such as by edits or other folders of revisions. */
  readonly formatDiffers: boolean;
  /** Differences that were not written because they concern locked revisions. */
  readonly rejected: readonly Difference[];
  readonly written: boolean;
  /** The command that writes the differences; `null` if none remain. */
  readonly command: string | null;
  /** Why the evidence of the rehearsal is stale, and the command that renews it; `null` if it isn't, or without any. */
  readonly staleEvidence: { readonly reason: string; readonly command: string } | null;
}

/**
 * Renders the chain with Alembic, and writes the lockfile or reports the differences.
 *
 * @returns The chain, and its differences from the lockfile.
 */
export async function run({ options, progress }: Call<LockOptions>): Promise<Result<LockOutcome>> {
  const { outcome, after } = await lockChain(options, progress);
  const differs = outcome.rejected.length > 0 || (options.check && outcome.command !== null);
  return {
    document: outcome,
    text: describe(options, outcome, after).join("\n"),
    exitCode: differs ? exitCodes.differs : exitCodes.success,
  };
}

/** @throws {CommandError} If an option names a revision that doesn't exist. */
export function requireRevisions(
  option: string,
  given: readonly string[],
  revisions: readonly { readonly id: string }[],
): void {
  const known = new Set(revisions.map(({ id }) => id));
  const unknown = given.filter((id) => !known.has(id));
  if (unknown.length > 0)
    throw new CommandError(`unknown revision in ${option}: ${unknown.join(", ")}\nRevisions: ${[...known].join(", ")}`);
}

/** A chain that was rendered and compared with its lockfile. */
export interface LockedChain {
  readonly outcome: LockOutcome;
  /** The chain as it is now. */
  readonly after: Lock;
  readonly lines: UpgradeLines;
}

/**
 * Renders the chain, and writes the lockfile if the options allow it.
 *
 * @param recorded - The reviewed lockfile, if not that of the folder.
 * @throws {CommandError} If the chain can't be rendered.
 */
export async function lockChain(options: LockOptions, progress: Progress, recorded?: Lock): Promise<LockedChain> {
  const path = join(resolve(options.backend), lockFileName);
  const shown = relative(process.cwd(), path);
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const reviewed = recorded ?? (before === undefined ? emptyLock : parseReviewedLock(before, shown));
  const { lock: after, lines } = await renderLock(options, reviewed, progress);
  const tooLong = configMapError({ lock: after, runnerFiles: readRunnerFiles() });
  if (tooLong !== null) throw new CommandError(tooLong);
  const outcome = decide(options, reviewed, after, before, shown);
  if (outcome.written) replaceFile(path, formatLock(after));
  return { outcome, after, lines };
}

/** The lockfile of an app without one. */
export const emptyLock: Lock = {
  version: lockVersion,
  alembic: plainAlembic,
  versionLocations: [],
  versionTable: defaultVersionTable,
  heads: [],
  bases: [],
  files: {},
  env: { sql: [] },
  revisions: [],
};

/**
 * Renders the chain, with the evidence of a lockfile on it.
 *
 * @param reviewed - The lockfile with the evidence.
 * @param env - Variables that env.py needs, in addition to those of this process.
 */
export async function makeLock(
  options: BackendOptions,
  reviewed: Lock,
  progress: Progress,
  env: NodeJS.ProcessEnv,
): Promise<Lock> {
  return (await renderLock(options, reviewed, progress, env)).lock;
}

async function renderLock(
  options: BackendOptions,
  reviewed: Lock,
  { doing, print }: Progress,
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly lock: Lock; readonly lines: UpgradeLines }> {
  const alembic = alembicCall(options, reviewed.alembic);
  const python = await backendPython(options, print);
  doing("rendering the revisions");
  const { maxIdLength, lines, ...chain } = await renderChain(resolve(options.backend), python, alembic, env);
  doing(`linting ${chain.revisions.length} revisions`);
  const evidence = evidenceOf(reviewed);
  const rendered = chain.revisions.map((revision) => withEvidence(revision, evidence(revision)));
  const { rehearsal } = reviewed;
  const lock = { version: lockVersion as typeof lockVersion, alembic, ...chain, ...(rehearsal && { rehearsal }) };
  const models = staleEvidence({ ...lock, revisions: rendered }) === null ? (rehearsal?.models ?? []) : [];
  const revisions = await annotate({ env: chain.env, revisions: rendered, maxIdLength }, print, models);
  return { lock: { ...lock, revisions }, lines };
}

function decide(options: LockOptions, before: Lock, after: Lock, text: string | undefined, path: string): LockOutcome {
  requireRevisions("--rewrite", options.rewrite, [...before.revisions, ...after.revisions]);
  const differences = compareLocks(before, after);
  const locked = rejectedDifferences(differences, new Set());
  const rejected = options.check ? [] : rejectedDifferences(differences, new Set(options.rewrite));
  const differs = text !== formatLock(after);
  const written = differs && !options.check && rejected.length === 0;
  const stale = staleEvidence(after);
  return {
    lock: path,
    heads: after.heads,
    revisions: after.revisions.length,
    differences,
    formatDiffers: differs && differences.length === 0,
    rejected,
    written,
    command: differs && !written ? rewriteCommand(locked, backendArgs(options)) : null,
    staleEvidence: stale === null ? null : { reason: stale, command: commandLine("rehearse", ...backendArgs(options)) },
  };
}

function describe(options: LockOptions, outcome: LockOutcome, after: Lock): readonly string[] {
  const { lock, differences, formatDiffers, rejected, written, command } = outcome;
  const found = indent(describeDifferences(differences, after, styled));
  if (formatDiffers)
    found.push("  format of the file: key order, whitespace, version locations or table, or how Alembic is called");
  const notice =
    outcome.staleEvidence === null
      ? []
      : [
          `${styled("attention", "Evidence is stale")}: ${outcome.staleEvidence.reason}. To renew it, run: ${outcome.staleEvidence.command}`,
        ];
  const call = alembicOptions(after) === undefined ? [] : [`  rendered as: ${alembicCommand(after.alembic)}`];
  if (written) return [styled("good", `Wrote ${lock}: ${summarize(after)}`), ...call, ...found, ...notice];
  if (command === null)
    return [
      styled("good", `${lock} is up to date: ${summarize(after)}`),
      ...call,
      ...indent(describeLimitations(after, styled)),
      ...notice,
    ];
  if (options.check)
    return [styled("bad", `${lock} differs from the chain:`), ...found, `To update it, run: ${command}`];
  return [
    styled("bad", `${lock} was not written: locked revisions would change, which databases may already have:`),
    ...indent(describeDifferences(rejected, after, styled)),
    "Restore the files and add a new revision instead. If no database has the changed revisions, run:",
    `  ${command}`,
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
