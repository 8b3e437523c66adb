import type { Input } from "@pulumi/pulumi";
import { type CommandTarget, kubectlCommand } from "../kubectl-command.ts";
import { names } from "./names.ts";

/** Secrets that pods refer to for the database's URL; both are the same if one role migrates and serves. */
export interface DatabaseSecrets {
  /** Secret of the backend, with `DATABASE_URL`. */
  readonly application: string;
  /**
   * Secret of the migration Job, with `DATABASE_URL`; with `MIGRATION_DATABASE_URL` if that points to a connection
   * pooler; and with `POSTGRES_PASSWORD` for an owned PostgreSQL.
   */
  readonly migrations: string;
  /** Whether they exist already: then the program never sees their values. */
  readonly existing: boolean;
}

/** Credentials of an owned PostgreSQL. */
export interface OwnedCredentials {
  /** Password of the database's owner, which the server reads when it initializes its volume. */
  readonly password: Input<string>;
  /** Role of the application, which the migration Job creates; `undefined` if the owner serves, too. */
  readonly application?: { readonly role: string; readonly password: Input<string> } | undefined;
}

/** Credentials of an external PostgreSQL. */
export interface ExternalCredentials {
  /** URL of the backend's role: `postgresql://user:password@host:port/database`. */
  readonly url: Input<string>;
  /**
   * URL of the role that migrates; for a shared role, one that bypasses a connection pooler.
   *
   * @defaultValue `url`
   */
  readonly migrationUrl?: Input<string> | undefined;
  /**
   * TCP ports that the URLs may have.
   *
   * @defaultValue any
   */
  readonly ports?: readonly number[] | undefined;
}

/** Role that reads and writes rows but doesn't migrate. */
export interface ApplicationRole {
  readonly name: string;
  /** Secret with its `DATABASE_URL`. */
  readonly secretName: string;
  /** Whether the runner creates the role if it doesn't exist. */
  readonly create: boolean;
}

/** Returns the Secrets that the program declares. Each application role has its own, so that a new one does not replace the old. */
export function ownSecrets(applicationRole: string | undefined): DatabaseSecrets {
  const { databaseSecret, migrationSecret } = names;
  if (applicationRole === undefined)
    return { application: databaseSecret, migrations: databaseSecret, existing: false };
  const application = `${databaseSecret}-${applicationRole.replaceAll("_", "-")}`;
  return { application, migrations: migrationSecret, existing: false };
}

/** Returns the names of the Secrets that the program may have declared, for a shared role and for separate roles. */
export function everyOwnSecret(applicationRole: string): readonly string[] {
  const shared = ownSecrets(undefined);
  const separate = ownSecrets(applicationRole);
  return [shared.application, separate.application, separate.migrations];
}

/** Whether {@link ownSecrets} may return a name: the program deletes Secrets that it declared. */
export function isOwnSecret(name: string): boolean {
  const { databaseSecret, migrationSecret } = names;
  return name === databaseSecret || name === migrationSecret || name.startsWith(`${databaseSecret}-`);
}

/** Existing Secret that a stack requires. */
export interface NeededSecret {
  /** Setting with its name. */
  readonly setting: string;
  readonly name: string;
  readonly keys: readonly string[];
}

/** Returns the existing Secrets that must contain the database's credentials; none if the program declares them. */
export function neededSecrets({ application, migrations, existing }: DatabaseSecrets, owned: boolean): NeededSecret[] {
  if (!existing) return [];
  const applicationKeys = ["DATABASE_URL"];
  const migrationKeys = owned ? ["DATABASE_URL", "POSTGRES_PASSWORD"] : ["DATABASE_URL"];
  if (application === migrations) return [{ setting: "databaseSecret", name: application, keys: migrationKeys }];
  return [
    { setting: "databaseSecret", name: application, keys: applicationKeys },
    { setting: "migrationSecret", name: migrations, keys: migrationKeys },
  ];
}

/** Returns an error for each Secret that is missing or lacks keys, with the command that creates it. */
export function secretErrors(
  needed: readonly NeededSecret[],
  found: ReadonlyMap<string, { readonly keys: readonly string[] }>,
  target: CommandTarget,
): readonly string[] {
  const errors: string[] = [];
  for (const { setting, name, keys } of needed) {
    const secret = found.get(name);
    const missing = keys.filter((key) => !secret?.keys.includes(key));
    if (missing.length === 0) continue;
    const problem = secret === undefined ? "not found" : `has no key ${missing.join(", ")}`;
    const files = keys.map((key) => `--from-file=${key}=<file>`).join(" ");
    const fix = `${kubectlCommand(target)} create secret generic ${name} ${files}`;
    errors.push(`Secret "${name}" (unity:${setting}) ${problem}. Run: ${fix}`);
  }
  return errors;
}
