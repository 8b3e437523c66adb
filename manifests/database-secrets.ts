import { names } from "./names.ts";

/** The Secrets that pods get the database's URL from, by reference; the same one twice where one role does everything. */
export interface DatabaseSecrets {
  /** The backend's: `DATABASE_URL`. */
  readonly application: string;
  /**
   * The migrate Job's: `DATABASE_URL`, `MIGRATION_DATABASE_URL` where that leads to a connection pooler, and
   * `POSTGRES_PASSWORD` for a PostgreSQL of the stack's own.
   */
  readonly migrations: string;
  /** Whether they were made by others: then no value of them passes through the program. */
  readonly existing: boolean;
}

/** A role that only reads and writes rows, beside the one that migrates. */
export interface ApplicationRole {
  readonly name: string;
  /** Secret with its `DATABASE_URL`. */
  readonly secretName: string;
  /** Whether the runner makes the role if it is missing. */
  readonly create: boolean;
}

/** @returns The Secrets that the program makes. The application's is another one for another role, beside the old. */
export function ownSecrets(applicationRole: string | undefined): DatabaseSecrets {
  const { databaseSecret, migrationSecret } = names;
  if (applicationRole === undefined)
    return { application: databaseSecret, migrations: databaseSecret, existing: false };
  const application = `${databaseSecret}-${applicationRole.replaceAll("_", "-")}`;
  return { application, migrations: migrationSecret, existing: false };
}

/** Whether {@link ownSecrets} may give a Secret that name: what the program made, it also removes. */
export function isOwnSecret(name: string): boolean {
  const { databaseSecret, migrationSecret } = names;
  return name === databaseSecret || name === migrationSecret || name.startsWith(`${databaseSecret}-`);
}
