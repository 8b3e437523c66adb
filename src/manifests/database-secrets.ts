import type { Input } from "@pulumi/pulumi";
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

/** Credentials of a PostgreSQL of the stack's own. */
export interface OwnedCredentials {
  /** Password of the database's owner; the server takes it when it first initialises its volume. */
  readonly password: Input<string>;
  /** The application's own role, which the migrate Job makes; of one role, none. */
  readonly application?: { readonly role: string; readonly password: Input<string> } | undefined;
}

/** Credentials of a PostgreSQL that lives elsewhere. */
export interface ExternalCredentials {
  /** `postgresql://user:password@host:port/database`, of the role that the backend logs in as. */
  readonly url: Input<string>;
  /**
   * The same for the role that migrates; of one role, past a connection pooler.
   *
   * @defaultValue `url`
   */
  readonly migrationUrl?: Input<string> | undefined;
  /**
   * TCP ports that the URLs may lead to.
   *
   * @defaultValue any
   */
  readonly ports?: readonly number[] | undefined;
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

/** @returns The Secrets that the program makes with one role, and with two of which the application's is so called. */
export function everyOwnSecret(applicationRole: string): readonly string[] {
  const all = [undefined, applicationRole].map(ownSecrets);
  return [...new Set(all.flatMap(({ application, migrations }) => [application, migrations]))];
}

/** Whether {@link ownSecrets} may give a Secret that name: what the program made, it also removes. */
export function isOwnSecret(name: string): boolean {
  const { databaseSecret, migrationSecret } = names;
  return name === databaseSecret || name === migrationSecret || name.startsWith(`${databaseSecret}-`);
}

/** A Secret that others must have made. */
export interface NeededSecret {
  /** Setting that names it. */
  readonly setting: string;
  readonly name: string;
  readonly keys: readonly string[];
}

/** @returns The Secrets with the database's credentials that others must have made; none if the program makes them. */
export function neededSecrets({ application, migrations, existing }: DatabaseSecrets, owned: boolean): NeededSecret[] {
  if (!existing) return [];
  const url = ["DATABASE_URL"];
  const owner = owned ? [...url, "POSTGRES_PASSWORD"] : url;
  if (application === migrations) return [{ setting: "databaseSecret", name: application, keys: owner }];
  return [
    { setting: "databaseSecret", name: application, keys: url },
    { setting: "migrationSecret", name: migrations, keys: owner },
  ];
}

/** @returns What is missing, a sentence each, with the command that makes it. */
export function secretErrors(
  needed: readonly NeededSecret[],
  found: ReadonlyMap<string, { readonly keys: readonly string[] }>,
  { context, namespace }: { readonly context: string; readonly namespace: string },
): readonly string[] {
  return needed.flatMap(({ setting, name, keys }) => {
    const secret = found.get(name);
    const missing = keys.filter((key) => !secret?.keys.includes(key));
    if (missing.length === 0) return [];
    const what = secret === undefined ? "which is not there" : `which has no key ${missing.join(", ")}`;
    const make = keys.map((key) => `--from-file=${key}=<file>`).join(" ");
    return [
      `unity:${setting} is "${name}", ${what}. Mend: kubectl --context ${context} create secret generic -n ${namespace} ${name} ${make}`,
    ];
  });
}
