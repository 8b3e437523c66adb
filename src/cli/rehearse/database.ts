import type { Progress } from "../progress.ts";
import { CommandError } from "../result.ts";
import { findPostgres } from "./find-postgres.ts";
import { removeLeftovers, startPostgres } from "./postgres.ts";

/** Options that select the database of a rehearsal. */
export interface DatabaseOptions {
  readonly databaseUrl?: string;
  readonly postgres?: string;
}

/** Start of the name of a server's folder. */
const prefix = "pulumi-alembic-rehearsal-";

/**
 * Returns variables with the parts of the database's URL, for an env.py that doesn't read DATABASE_URL.
 *
 * @param given - Such as `DB_HOST={host}`.
 */
export function fillAll(given: readonly string[], url: string): NodeJS.ProcessEnv {
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

/**
 * Calls a function with the URL of a database: the given one, or that of a server that runs meanwhile.
 *
 * @param settings - Settings of that server.
 */
export async function onDatabase<T>(
  { databaseUrl = process.env.REHEARSAL_DATABASE_URL, postgres }: DatabaseOptions,
  { doing }: Progress,
  call: (url: string) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  if (databaseUrl !== undefined && databaseUrl !== "") return call(databaseUrl);
  const programs = findPostgres(postgres);
  await removeLeftovers(prefix);
  doing(`starting PostgreSQL of ${programs}`);
  const server = await startPostgres({ programs, prefix, password: true, settings }).catch((error: Error) => {
    throw new CommandError(`can't start ${programs}/postgres: ${error.message}`);
  });
  try {
    return await call(server.url);
  } finally {
    await server.stop();
  }
}
