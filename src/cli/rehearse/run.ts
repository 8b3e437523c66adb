import { join, resolve } from "node:path";
import { readLock, verifyLockedFiles } from "../../lockfile/read-lock.ts";
import { type BackendOptions, backendPython } from "../alembic.ts";
import type { Progress } from "../progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { findPostgres } from "./find-postgres.ts";
import { removeLeftovers, startPostgres } from "./postgres.ts";
import { type Rehearsal, rehearse } from "./rehearsal.ts";
import { describeRehearsal, secondsText, succeeded } from "./report.ts";

interface RehearseOptions extends BackendOptions {
  readonly databaseUrl?: string;
  readonly postgres?: string;
  readonly env?: readonly string[];
}

/** The outcome of `pulumi-alembic rehearse`. */
export type RehearseOutcome = Rehearsal;

/** Start of the name of a server's folder. */
const prefix = "pulumi-alembic-rehearsal-";

/**
 * Runs the chain on a throwaway PostgreSQL.
 *
 * @returns What each revision did.
 */
export async function run({ options, progress }: Call<RehearseOptions>): Promise<Result<RehearseOutcome>> {
  const backendFolder = resolve(options.backend);
  const lock = readLock(join(backendFolder, "migrations.lock.json"));
  const stale = verifyLockedFiles(lock, backendFolder);
  if (stale.length > 0) throw new CommandError(`the lockfile differs from the chain:\n${stale.join("\n")}`);
  const python = await backendPython(options, progress.print);
  const outcome = await onDatabase(options, progress, (url) => {
    progress.doing(`revision 1 of ${lock.revisions.length}`);
    return rehearse({
      lock,
      backendFolder,
      python,
      url,
      env: fillAll(options.env ?? [], url),
      onRevision({ id, title, upgradeMilliseconds }, number, total) {
        progress.note(`${number}/${total}  ${id}  ${title}  ${secondsText(upgradeMilliseconds)}`);
        progress.doing(`revision ${number + 1} of ${total}`);
      },
    });
  });
  const exitCode = succeeded(outcome) ? exitCodes.success : exitCodes.differs;
  return { document: outcome, text: describeRehearsal(outcome).join("\n"), exitCode };
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
