import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command, Option } from "commander";
import { compareLocks, type Difference, refusedDifferences } from "../../migrations/compare-locks.ts";
import { formatLock, type Lock, lockVersion } from "../../migrations/lock.ts";
import { parseReviewedLock } from "../../migrations/parse-lock.ts";
import { addBackendOptions, type BackendOptions, backendPython, givenBackendOptions } from "../backend-options.ts";
import { CommandError, exitCodes } from "../command-error.ts";
import { annotate } from "./annotate.ts";
import { askAlembic } from "./ask-alembic.ts";
import { describeDifferences, describeLimitations, rewriteCommand, summarize } from "./report.ts";

interface LockOptions extends BackendOptions {
  readonly check?: boolean;
  readonly json?: boolean;
  readonly rewrite: readonly string[];
}

/** What the command found and did; `--json` prints it. */
interface Outcome {
  readonly lock: string;
  readonly heads: readonly string[];
  readonly revisions: number;
  readonly differences: readonly Difference[];
  /** The text differs though no revision does: hand-made edits, or other folders of revisions. */
  readonly formDiffers: boolean;
  /** Differences that were not written, because they concern locked revisions. */
  readonly refused: readonly Difference[];
  readonly written: boolean;
  /** The command that mends the differences; `null` if there are none, or none any more. */
  readonly command: string | null;
}

const help = `
Exit codes:
  0  the lock says what Alembic says (after writing it, without --check)
  1  it differs (--check), or a locked revision differs and was not named with --rewrite: nothing is written
  2  wrong usage, or Alembic, the project or Python can't answer`;

/** @returns The command `unity lock`. */
export function lockProgram(): Command {
  return addBackendOptions(new Command("lock"))
    .description("Write migrations.lock.json, the reviewed record of the chain, from what Alembic says.")
    .option("--check", "write nothing; say what differs")
    .addOption(rewriteOption())
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: LockOptions) => {
      const path = join(resolve(options.backend), "migrations.lock.json");
      const shown = relative(process.cwd(), path);
      const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
      const reviewed = before === undefined ? emptyLock : parseReviewedLock(before, shown);
      const after = await makeLock(options);
      const outcome = decide(options, reviewed, after, before, shown);
      if (outcome.written) writeWhole(path, formatLock(after));
      print(options, outcome, after);
      if (outcome.refused.length > 0 || (options.check && outcome.command !== null)) {
        process.exitCode = exitCodes.differs;
      }
    });
}

const emptyLock: Lock = { version: lockVersion, versionLocations: [], heads: [], bases: [], revisions: [] };

function rewriteOption(): Option {
  return new Option("--rewrite <revision>", "let this locked revision change or go; repeatable")
    .default([], "none")
    .argParser(collect);
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

async function makeLock(options: LockOptions): Promise<Lock> {
  const chain = await askAlembic(resolve(options.backend), await backendPython(options));
  return { version: lockVersion, ...chain, revisions: await annotate(chain.revisions, report) };
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

function decide(options: LockOptions, before: Lock, after: Lock, text: string | undefined, path: string): Outcome {
  const known = new Set([...before.revisions, ...after.revisions].map(({ id }) => id));
  const unknown = options.rewrite.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new CommandError(
      `--rewrite ${unknown.join(", ")}: no such revision. The chain's revisions: ${[...known].join(", ")}.`,
    );
  }
  const differences = compareLocks(before, after);
  const locked = refusedDifferences(differences, new Set());
  const refused = options.check ? [] : refusedDifferences(differences, new Set(options.rewrite));
  const differs = text !== formatLock(after);
  const written = differs && !options.check && refused.length === 0;
  return {
    lock: path,
    heads: after.heads,
    revisions: after.revisions.length,
    differences,
    formDiffers: differs && differences.length === 0,
    refused,
    written,
    command: differs && !written ? rewriteCommand(locked, givenBackendOptions(options)) : null,
  };
}

function print(options: LockOptions, outcome: Outcome, after: Lock): void {
  const lines = options.json ? [JSON.stringify(outcome, null, 2)] : describe(options, outcome, after);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function describe(options: LockOptions, outcome: Outcome, after: Lock): string[] {
  const { lock, differences, formDiffers, refused, written, command } = outcome;
  const form = formDiffers ? ["the form of the file: another order of keys, other spaces or version locations"] : [];
  const found = indent([...describeDifferences(differences, after), ...form]);
  if (written) return [`${lock} is written: ${summarize(after)}`, ...found];
  if (command === null)
    return [`${lock} is what Alembic says: ${summarize(after)}`, ...indent(describeLimitations(after))];
  if (options.check) return [`${lock} differs from what Alembic says:`, ...found, `To lock this, run: ${command}`];
  return [
    `${lock} is not written: ${refused.length} locked revisions would change, which databases may already have.`,
    ...indent(describeDifferences(refused, after)),
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
