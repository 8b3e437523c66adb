import { join, relative, resolve } from "node:path";
import { formatLock } from "../../lockfile/format-lock.ts";
import type { Lock, LockedRevision } from "../../lockfile/lock.ts";
import { readLock, verifyLockedFiles } from "../../lockfile/read-lock.ts";
import { lockFileName } from "../../paths.ts";
import { replaceFile } from "../../replace-file.ts";
import { alembicCall, backendPython } from "../alembic.ts";
import { styled } from "../highlight.ts";
import { makeLock } from "../lock/run.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { fillAll, onDatabase } from "./database.ts";
import { addEvidence } from "./evidence.ts";
import type { BlockingTimes, LikeOptions } from "./like/outcome.ts";
import { type Rehearsal, rehearse } from "./rehearsal.ts";
import { describeRehearsal, secondsText, succeeded } from "./report.ts";

/** Options of `pulumi-alembic rehearse`. */
export interface RehearseOptions extends LikeOptions {
  readonly like?: string;
  readonly env?: readonly string[];
  readonly check?: boolean;
}

/** The outcome of `pulumi-alembic rehearse`. */
export interface RehearseOutcome extends Rehearsal {
  /** Path of the lockfile. */
  readonly lock: string;
  /** Whether the evidence was written into the lockfile. */
  readonly written: boolean;
  /** Revisions whose evidence differs from the lockfile's, and `models` or `chain`, if theirs does. */
  readonly differences: readonly string[];
}

/** A URL for an env.py that only renders. */
const anyUrl = "postgresql://user:password@localhost/database";

/** Maximum number of differences that are shown. */
const shownDifferences = 10;

/**
 * Runs the command.
 *
 * @returns What each revision did; with `--like`, how long each pending one will take.
 */
export async function run(call: Call<RehearseOptions>): Promise<Result<RehearseOutcome | BlockingTimes>> {
  const { like } = call.options;
  if (like === undefined) return rehearseChain(call);
  const { lock, env } = readChain(call.options);
  return (await import("./like/run.ts")).runLike(call, like, lock, env);
}

/**
 * Reads the lockfile, and the variables that env.py needs.
 *
 * @throws {CommandError} If the lockfile differs from the chain.
 */
function readChain(options: RehearseOptions) {
  const backendFolder = resolve(options.backend);
  const path = join(backendFolder, lockFileName);
  const reviewed = readLock(path);
  const lock = { ...reviewed, alembic: alembicCall(options, reviewed.alembic) };
  const stale = verifyLockedFiles(lock, backendFolder);
  if (stale.length > 0) throw new CommandError(`the lockfile differs from the chain:\n${stale.join("\n")}`);
  return { backendFolder, path, reviewed, lock, env: options.env ?? lock.rehearsal?.env ?? [] };
}

/**
 * Runs the chain on a throwaway PostgreSQL, and writes the evidence into the lockfile.
 *
 * @returns What each revision did.
 */
export async function rehearseChain({ options, progress }: Call<RehearseOptions>): Promise<Result<RehearseOutcome>> {
  const { backendFolder, path, reviewed, lock, env } = readChain(options);
  const python = await backendPython(options, progress.print);
  const rehearsal = await onDatabase(options, progress, (url) => {
    progress.doing(`revision 1 of ${lock.revisions.length}`);
    return rehearse({
      lock,
      backendFolder,
      python,
      url,
      env: fillAll(env, url),
      onRevision({ id, title, upgradeMilliseconds }, number, total) {
        progress.note(`${number}/${total}  ${id}  ${title}  ${secondsText(upgradeMilliseconds)}`);
        progress.doing(`revision ${number + 1} of ${total}`);
      },
    });
  });
  const after = rehearsal.failed === null ? addEvidence(lock, rehearsal, env.filter(isTemplate)) : lock;
  const differences = rehearsal.failed === null ? compareEvidence(reviewed, after) : [];
  const written = differences.length > 0 && !options.check;
  if (written) {
    // The chain was locked with those of the shell, which take precedence.
    const unset = env.filter((variable) => process.env[variable.split("=")[0] ?? ""] === undefined);
    replaceFile(path, formatLock(await makeLock(options, after, progress, fillAll(unset, anyUrl))));
  }
  const shown = relative(process.cwd(), path);
  const outcome = { ...rehearsal, lock: shown, written, differences };
  const isDifferent = options.check === true && differences.length > 0;
  return {
    document: outcome,
    text: [...describeRehearsal(rehearsal), ...describeEvidence(outcome, isNondeterministic(reviewed, after))].join(
      "\n",
    ),
    exitCode: succeeded(rehearsal) && !isDifferent ? exitCodes.success : exitCodes.differs,
  };
}

/** Whether a variable contains a part of the URL. Others may contain secrets, and are not recorded. */
function isTemplate(variable: string): boolean {
  return /\{\w+\}/.test(variable);
}

/** Whether evidence differs although it is of the same chain, on the same version of PostgreSQL. */
function isNondeterministic(before: Lock, after: Lock): boolean {
  return before.rehearsal !== undefined && before.rehearsal.chain === after.rehearsal?.chain;
}

/** Returns the revisions whose evidence differs, and what else does. */
function compareEvidence(before: Lock, after: Lock): string[] {
  const text = ({ upgrade, downgrade, rehearsed }: LockedRevision) =>
    JSON.stringify([upgrade.rehearsed, downgrade.rehearsed, rehearsed]);
  const known = new Map(before.revisions.map((revision) => [revision.id, text(revision)]));
  const revisions = after.revisions.filter((revision) => known.get(revision.id) !== text(revision)).map(({ id }) => id);
  const [old, now] = [before.rehearsal, after.rehearsal];
  if (JSON.stringify(old?.models) !== JSON.stringify(now?.models)) revisions.push("models");
  if (old?.chain !== now?.chain || JSON.stringify(old?.env) !== JSON.stringify(now?.env)) revisions.push("chain");
  return revisions;
}

/** Describes how the evidence compares with the lockfile's. */
function describeEvidence(
  { lock, written, differences, failed }: RehearseOutcome,
  isNondeterministic: boolean,
): readonly string[] {
  if (failed !== null) return [];
  if (differences.length === 0) return [styled("good", `The evidence in ${lock} is up to date`)];
  const reason = isNondeterministic ? ", although chain and version are the same: it is nondeterministic" : "";
  const others = differences.length - shownDifferences;
  const names = [...differences.slice(0, shownDifferences), ...(others > 0 ? [`and ${others} more`] : [])];
  const what = `${names.join(", ")}${reason}`;
  return [
    written
      ? styled("good", `Wrote evidence to ${lock}: ${what}`)
      : styled("bad", `The evidence in ${lock} differs: ${what}`),
  ];
}
