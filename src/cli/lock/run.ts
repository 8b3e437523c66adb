import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { compareLocks, type Difference, rejectedDifferences } from "../../lockfile/compare-locks.ts";
import { formatLock, type Lock, lockVersion } from "../../lockfile/lock.ts";
import { parseReviewedLock } from "../../lockfile/parse-lock.ts";
import { type BackendOptions, backendPython, givenBackendOptions } from "../alembic.ts";
import { formats, type Highlight } from "../highlight.ts";
import type { Progress } from "../progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { annotate } from "./annotate.ts";
import { queryAlembic } from "./ask-alembic.ts";
import { describeDifferences, describeLimitations, rewriteCommand, summarize } from "./report.ts";

interface LockOptions extends BackendOptions {
  readonly check?: boolean;
  readonly rewrite: readonly string[];
}

/** What the command found and did. */
export interface LockOutcome {
  /** Path of the lock. */
  readonly lock: string;
  /** Revisions that no other comes after. */
  readonly heads: readonly string[];
  /** How many there are. */
  readonly revisions: number;
  /** In what Alembic's answer differs from the lock as it was. */
  readonly differences: readonly Difference[];
  /** The text differs though no revision does: hand-made edits, or other folders of revisions. */
  readonly formDiffers: boolean;
  /** Differences that were not written, because they concern locked revisions. */
  readonly rejected: readonly Difference[];
  readonly written: boolean;
  /** The command that mends the differences; `null` if there are none, or none any more. */
  readonly command: string | null;
}

/**
 * Asks Alembic for the chain, and writes it down or says what differs.
 *
 * @returns What Alembic says, and what of it is not in the lock.
 */
export async function run({ options, progress }: Call<LockOptions>): Promise<Result<LockOutcome>> {
  const path = join(resolve(options.backend), "migrations.lock.json");
  const shown = relative(process.cwd(), path);
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const reviewed = before === undefined ? emptyLock : parseReviewedLock(before, shown);
  const after = await makeLock(options, progress);
  const outcome = decide(options, reviewed, after, before, shown);
  if (outcome.written) writeWhole(path, formatLock(after));
  const differs = outcome.rejected.length > 0 || (options.check && outcome.command !== null);
  return {
    document: outcome,
    text: describe(options, outcome, after).join("\n"),
    exitCode: differs ? exitCodes.differs : exitCodes.success,
    highlights,
  };
}

const highlights: readonly Highlight[] = [
  [/^\S+ is (written|what Alembic says): .*/, formats.good],
  [/^\S+ (is not written: |differs from what Alembic says:).*/, formats.bad],
  [/^ +error \S+/, formats.bad],
  [/^ +warning \S+/, formats.attention],
];

const emptyLock: Lock = { version: lockVersion, versionLocations: [], heads: [], bases: [], revisions: [] };

async function makeLock(options: LockOptions, { doing, print }: Progress): Promise<Lock> {
  const python = await backendPython(options, print);
  doing("Alembic renders its revisions");
  const chain = await queryAlembic(resolve(options.backend), python);
  doing(`linting ${chain.revisions.length} revisions`);
  return { version: lockVersion, ...chain, revisions: await annotate(chain.revisions, print) };
}

function decide(options: LockOptions, before: Lock, after: Lock, text: string | undefined, path: string): LockOutcome {
  const known = new Set([...before.revisions, ...after.revisions].map(({ id }) => id));
  const unknown = options.rewrite.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new CommandError(
      `--rewrite ${unknown.join(", ")}: no such revision. The chain's revisions: ${[...known].join(", ")}.`,
    );
  }
  const differences = compareLocks(before, after);
  const locked = rejectedDifferences(differences, new Set());
  const rejected = options.check ? [] : rejectedDifferences(differences, new Set(options.rewrite));
  const differs = text !== formatLock(after);
  const written = differs && !options.check && rejected.length === 0;
  return {
    lock: path,
    heads: after.heads,
    revisions: after.revisions.length,
    differences,
    formDiffers: differs && differences.length === 0,
    rejected,
    written,
    command: differs && !written ? rewriteCommand(locked, givenBackendOptions(options)) : null,
  };
}

function describe(options: LockOptions, outcome: LockOutcome, after: Lock): string[] {
  const { lock, differences, formDiffers, rejected, written, command } = outcome;
  const form = formDiffers ? ["the form of the file: another order of keys, other spaces or version locations"] : [];
  const found = indent([...describeDifferences(differences, after), ...form]);
  if (written) return [`${lock} is written: ${summarize(after)}`, ...found];
  if (command === null)
    return [`${lock} is what Alembic says: ${summarize(after)}`, ...indent(describeLimitations(after))];
  if (options.check) return [`${lock} differs from what Alembic says:`, ...found, `To lock this, run: ${command}`];
  return [
    `${lock} is not written: ${rejected.length} locked revisions would change, which databases may already have.`,
    ...indent(describeDifferences(rejected, after)),
    "Put the files back and add a new revision instead. If no database that matters has them, run:",
    `  ${command}`,
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Replaces the file in one step, so that a killed run leaves the old one. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
