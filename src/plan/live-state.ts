import { applied, beyond, pending } from "../lockfile/chain.ts";
import type { DatabaseSchema } from "../lockfile/database-schema/database-schema.ts";
import type { Lock } from "../lockfile/lock.ts";
import type { TableRows } from "./blocking-time.ts";
import type { RollbackWindow } from "./rollback-window.ts";

/** The result of reading the database's revision, before it is compared with the lockfile. */
export type Reading =
  | {
      readonly kind: "rows";
      /** Rows of the version table, sorted; `null` if the table doesn't exist. */
      readonly rows: readonly string[] | null;
      /** The database that was queried; absent if the rows are a record. */
      readonly database?: DatabaseIdentity;
      /** Absent if the lockfile contains the revision, or no record of it can be read. */
      readonly window?: RollbackWindow;
      /** Absent if no times were measured. */
      readonly sizes?: TableRows;
      /** The live schema; absent if the lockfile has no evidence to compare it with. */
      readonly schema?: SchemaReading;
    }
  /** The namespace has no pod that could query the database. */
  | { readonly kind: "not-deployed" }
  | Unreachable;

/** Live schema of a database, and the major version of its server; or why it can't be read. */
export type SchemaReading = { readonly version: string; readonly schema: DatabaseSchema } | { readonly cause: string };

/** Identity of a database. A restored dump is another database, and so is one that was created again. */
export interface DatabaseIdentity {
  readonly name: string;
  /** Object identifier in its server. */
  readonly oid: string;
  /** System identifier of its server, from `initdb`; `null` if the role may not read it. */
  readonly system: string | null;
}

/** A failure to connect to the API server, or to the database through existing pods. */
export interface Unreachable {
  readonly kind: "unreachable";
  readonly what: "cluster" | "database";
  readonly cause: string;
}

/** The database's position in the chain of the lockfile. */
export type LiveState =
  | { readonly kind: "not-deployed" }
  | { readonly kind: "never-applied" }
  /** Several revisions only on branches that are not merged yet. */
  | { readonly kind: "behind"; readonly revisions: readonly string[]; readonly pending: number }
  | { readonly kind: "at-head"; readonly revision: string }
  /** Has every revision up to the target, and later ones. */
  | {
      readonly kind: "beyond-target";
      readonly revisions: readonly string[];
      readonly target: string;
      readonly undo: number;
    }
  /** At a revision that the lockfile lacks, and that the run record or the stack's settings tolerate. */
  | {
      readonly kind: "ahead";
      readonly revisions: readonly string[];
      /** Only if the run record tolerates it. */
      readonly window?: RollbackWindow;
    }
  | {
      readonly kind: "unknown-revision";
      readonly revisions: readonly string[];
      /** Only if the run record contains the revision. */
      readonly window?: RollbackWindow;
    }
  /** The version table has rows that others imply. Alembic never writes such rows. */
  | {
      readonly kind: "overlapping-revisions";
      readonly revisions: readonly string[];
      readonly implied: readonly string[];
    }
  | Unreachable;

/** The revisions that a stack allows its database to be at. */
export interface TargetOptions {
  /**
   * A revision of the lockfile.
   *
   * @defaultValue the lockfile's head
   */
  readonly targetRevision?: string | undefined;
  /**
   * Revisions that the lockfile lacks.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[];
}

/**
 * Determines the database's position in the chain.
 *
 * A revision that the lockfile lacks may be newer, or belong to a different chain. It counts as unknown unless the run
 * record or the stack tolerates it: then the release supports it, and the database is ahead.
 *
 * @param lock - A lockfile with one head.
 */
export function classify(reading: Reading, lock: Lock, targetOptions: TargetOptions = {}): LiveState {
  if (reading.kind !== "rows") return reading;
  const { targetRevision, toleratedRevisions: tolerated = [] } = targetOptions;
  const rows = reading.rows ?? [];
  if (rows.length === 0) return { kind: "never-applied" };

  const known = new Set(lock.revisions.map(({ id }) => id));
  const foreign = rows.filter((row) => !known.has(row));
  const window = foreign.length > 0 && reading.window !== undefined ? { window: reading.window } : {};
  const heads = targetRevisions(lock, targetOptions);
  if (rows.length === 1 && heads.length > 0 && heads.every((head) => window.window?.heads.includes(head)))
    return { kind: "ahead", revisions: foreign, ...window };
  const unknown = foreign.filter((row) => !tolerated.includes(row));
  if (unknown.length > 0) return { kind: "unknown-revision", revisions: unknown, ...window };
  if (foreign.length > 0) {
    const implied = rows.filter((row) => known.has(row));
    if (implied.length > 0 || foreign.length > 1) return { kind: "overlapping-revisions", revisions: rows, implied };
    return { kind: "ahead", revisions: foreign };
  }

  const implied = rows.filter((row, index) => applied(lock.revisions, rows.toSpliced(index, 1)).has(row));
  if (implied.length > 0) return { kind: "overlapping-revisions", revisions: rows, implied };
  const left = pending(lock, rows, targetRevisions(lock, targetOptions)).length;
  if (left > 0) return { kind: "behind", revisions: rows, pending: left };
  if (targetRevision !== undefined) {
    const undo = beyond(lock, rows, targetRevision).length;
    if (undo > 0) return { kind: "beyond-target", revisions: rows, target: targetRevision, undo };
  }
  return { kind: "at-head", revision: rows.join(", ") };
}

/** Returns the revisions to reach: the stack's target, otherwise the heads. */
export function targetRevisions(lock: Lock, { targetRevision }: TargetOptions): readonly string[] {
  return targetRevision === undefined ? lock.heads : [targetRevision];
}

/** Whether the update can't proceed until an operator corrects the state. Preview and `up` then stop before any change. */
export function requiresManualAction(state: LiveState): boolean {
  switch (state.kind) {
    case "unknown-revision":
    case "overlapping-revisions":
      return true;
    case "unreachable":
      // The update may be what fixes the database. The runner reads the revision again before it changes anything.
      return state.what === "cluster";
    default:
      return false;
  }
}
