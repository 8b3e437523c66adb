import { join, relative, resolve } from "node:path";
import { formatLock } from "../../lockfile/format-lock.ts";
import type { Lock, LockedRevision } from "../../lockfile/lock.ts";
import { readLock, verifyLockedFiles } from "../../lockfile/read-lock.ts";
import { lockFileName } from "../../paths.ts";
import { alembicCall, type BackendOptions, backendPython } from "../alembic.ts";
import { styled } from "../highlight.ts";
import { makeLock, replaceFile } from "../lock/run.ts";
import type { Progress } from "../progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { addEvidence } from "./evidence.ts";
import { findPostgres } from "./find-postgres.ts";
import { removeLeftovers, startPostgres } from "./postgres.ts";
import { type Rehearsal, rehearse } from "./rehearsal.ts";
import { describeRehearsal, secondsText, succeeded } from "./report.ts";

interface RehearseOptions extends BackendOptions {
  readonly databaseUrl?: string;
  readonly postgres?: string;
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

/** Maximum number of differences that are shown. */
const shownDifferences = 10;

/** Start of the name of a server's folder. */
const prefix = "pulumi-alembic-rehearsal-";

/**
 * Runs the chain on a throwaway PostgreSQL, and writes the evidence into the lockfile.
 *
 * @returns What each revision did.
 */
export async function run({ options, progress }: Call<RehearseOptions>): Promise<Result<RehearseOutcome>> {
  const backendFolder = resolve(options.backend);
  const path = join(backendFolder, lockFileName);
  const reviewed = readLock(path);
  const lock = { ...reviewed, alembic: alembicCall(options, reviewed.alembic) };
  const stale = verifyLockedFiles(lock, backendFolder);
  if (stale.length > 0) throw new CommandError(`the lockfile differs from the chain:\n${stale.join("\n")}`);
  const python = await backendPython(options, progress.print);
  const env = options.env ?? lock.rehearsal?.env ?? [];
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
  if (written) replaceFile(path, formatLock(await makeLock(options, after, progress)));
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

/**
 * Returns variables with the parts of the database's URL, for an env.py that doesn't read DATABASE_URL.
 *
 * @param given - Such as `DB_HOST={host}`.
 */
function fillAll(given: readonly string[], url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url);
  const parts: Readonly<Record<string, string>> = {
    url,
    host: hostname,
    port: port || "5432",
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
  return Object.fromEntries(
    given.map((each) => {
      const [name = "", ...value] = each.split("=");
      return [name, value.join("=").replaceAll(/\{(\w+)\}/g, (whole, part: string) => parts[part] ?? whole)];
    }),
  );
}

/** Calls a function with the URL of a database: the given one, or that of a server that runs meanwhile. */
async function onDatabase<T>(
  { databaseUrl = process.env.REHEARSAL_DATABASE_URL, postgres }: RehearseOptions,
  { doing }: Progress,
  call: (url: string) => Promise<T>,
): Promise<T> {
  if (databaseUrl !== undefined && databaseUrl !== "") return call(databaseUrl);
  const programs = findPostgres(postgres);
  await removeLeftovers(prefix);
  doing(`starting PostgreSQL of ${programs}`);
  const server = await startPostgres({ programs, prefix, password: true }).catch((error: Error) => {
    throw new CommandError(`can't start ${programs}/postgres: ${error.message}`);
  });
  try {
    return await call(server.url);
  } finally {
    await server.stop();
  }
}
