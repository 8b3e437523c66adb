import { createHash } from "node:crypto";
import type { Finding } from "./finding.ts";
import type { StatementLock } from "./statement-lock.ts";

/** Version of the lock's format that this program writes and reads. */
export const lockVersion = 2;

/** The command that writes the lock. */
export const lockCommand = "npm run unity -- lock";

/** The command that makes a revision's file. */
const revisionCommand = "npm run unity -- revision";

/** SQL of one direction of a revision: each statement as `alembic upgrade --sql` prints it, or why there is none. */
export type LockedSql =
  | { readonly sql: readonly string[] }
  | {
      readonly sql: null;
      /** Why it can't be rendered without a database, with the line of the file. */
      readonly reason: string;
    };

/** What a revision's upgrade does to tables, by Alembic's own operations; `schema.table` where a schema is given. */
export interface LockedTables {
  readonly created: readonly string[];
  /** Tables that exist before and after, whose columns, constraints, indexes or comments change. */
  readonly altered: readonly string[];
  /** A renamed table counts as dropped, its new name as created. */
  readonly dropped: readonly string[];
  /** Indexes into `upgrade.sql` of statements written as text, whose tables only the database's parser would know. */
  readonly unclassified: readonly number[];
}

/** One reviewed revision. */
export interface LockedRevision {
  readonly id: string;
  /** Several for a merge point, none for a base. */
  readonly downRevisions: readonly string[];
  /** Ids that `depends_on` names. */
  readonly dependsOn: readonly string[];
  readonly branchLabels: readonly string[];
  readonly title: string;
  /** `Create Date` of the file's docstring, as written there. */
  readonly date: string | null;
  /** Path relative to the backend's folder, with `/`. */
  readonly file: string;
  readonly sha256: string;
  /** `null` if the upgrade can't be rendered. */
  readonly tables: LockedTables | null;
  readonly upgrade: LockedSql;
  readonly downgrade: LockedSql;
  /** Whether the downgrade undoes anything; `null` if only a database could tell. */
  readonly reversible: boolean | null;
  /** Why `reversible` is not true. */
  readonly reversibleReason: string | null;
  /** What is to be said against the upgrade; by statement, then by rule. */
  readonly findings: readonly Finding[];
  /**
   * Locks of the upgrade on tables that are there before it, the strongest of each statement on each table; those of
   * readers are left out.
   */
  readonly locks: readonly StatementLock[];
}

/** The reviewed record of the chain: `backend/migrations.lock.json`. */
export interface Lock {
  readonly version: typeof lockVersion;
  /** Folders that hold revision files, relative to the backend's folder. */
  readonly versionLocations: readonly string[];
  readonly heads: readonly string[];
  readonly bases: readonly string[];
  /** From the bases to the heads: each one after all that it needs. */
  readonly revisions: readonly LockedRevision[];
}

/** @returns Why the chain has not exactly one head, and what to do; `null` if it has. */
export function headError({ heads }: Pick<Lock, "heads">): string | null {
  if (heads.length === 1) return null;
  if (heads.length === 0)
    return `The chain has no revision: add one with \`${revisionCommand} -m <title>\`, then run \`${lockCommand}\`.`;
  return (
    `The chain has ${heads.length} heads: ${heads.join(", ")}. One is allowed: join them with ` +
    `\`${revisionCommand} --merge -m <title>\`, or let one that no database has follow the other (its down_revision); ` +
    `then run \`${lockCommand}\`.`
  );
}

/** @returns The chain's only head. @throws {Error} If it has none or several. */
export function head(lock: Lock): string {
  const [only] = lock.heads;
  const error = headError(lock);
  if (only === undefined || error !== null) throw new Error(error ?? "");
  return only;
}

/** @returns SHA-256 of ids, down revisions and file hashes: the chain's identity, whatever SQL was rendered from it. */
export function lockDigest(lock: Lock): string {
  const identity = lock.revisions.map(({ id, downRevisions, sha256 }) => [id, downRevisions, sha256]);
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex");
}

/**
 * Names of the tables that the whole chain surely leaves, sorted. Tables that only text statements make, or a revision
 * that can't be rendered, are not among them, nor those that a later text statement names: it may drop or rename them.
 */
export function chainTables(lock: Lock): string[] {
  const tables = new Set<string>();
  for (const revision of lock.revisions) {
    for (const name of revision.tables?.dropped ?? []) tables.delete(name);
    for (const statement of textStatements(revision)) {
      for (const name of tables) if (names(statement, name)) tables.delete(name);
    }
    for (const name of revision.tables?.created ?? []) tables.add(name);
  }
  return [...tables].sort();
}

/** @returns The statements of an upgrade that were written as text. */
function textStatements({ upgrade, tables }: LockedRevision): string[] {
  return (tables?.unclassified ?? []).flatMap((index) => upgrade.sql?.[index] ?? []);
}

/** Whether a statement names a table as a word of its own, whatever it does to it. */
function names(statement: string, table: string): boolean {
  const name = table.slice(table.lastIndexOf(".") + 1);
  return statement.split(/[^\p{L}\p{N}_$]+/u).includes(name);
}

/** @returns The lock file's text: the order of keys is that of {@link Lock}, two spaces, one newline at the end. */
export function formatLock(lock: Lock): string {
  const { versionLocations, heads, bases } = lock;
  const revisions = lock.revisions.map(formatRevision);
  return `${JSON.stringify({ version: lock.version, versionLocations, heads, bases, revisions }, null, 2)}\n`;
}

function formatRevision(revision: LockedRevision): LockedRevision {
  return {
    id: revision.id,
    downRevisions: revision.downRevisions,
    dependsOn: revision.dependsOn,
    branchLabels: revision.branchLabels,
    title: revision.title,
    date: revision.date,
    file: revision.file,
    sha256: revision.sha256,
    tables: revision.tables,
    upgrade: revision.upgrade,
    downgrade: revision.downgrade,
    reversible: revision.reversible,
    reversibleReason: revision.reversibleReason,
    findings: revision.findings.map(({ rule, level, statement, message, help }) => ({
      rule,
      level,
      statement,
      message,
      help,
    })),
    locks: revision.locks.map(formatStatementLock),
  };
}

function formatStatementLock(lock: StatementLock): StatementLock {
  const { statement, table, mode, blocks } = lock;
  return mode === null
    ? { statement, table, mode, blocks: null, reason: lock.reason }
    : { statement, table, mode, blocks };
}
