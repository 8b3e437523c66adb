/** PostgreSQL's table-level lock modes, from weakest to strongest, in the order of its own numbers. */
export const lockModes = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;

/** One of {@link lockModes}. */
export type LockMode = (typeof lockModes)[number];

/** The operations of other sessions that a table lock blocks until the transaction ends. */
export type Blocked = "nothing" | "other schema changes" | "writes" | "reads and writes";

/** A table lock that a statement takes, or the reason why its locks are unknown. */
export type StatementLock =
  | {
      /** Index into `upgrade.sql`. */
      readonly statement: number;
      /** `schema.table` if the statement names a schema. */
      readonly table: string;
      readonly mode: LockMode;
      readonly blocks: Blocked;
    }
  | {
      readonly statement: number;
      readonly table: null;
      readonly mode: null;
      readonly blocks: null;
      /** Why the locks depend on the database. */
      readonly reason: string;
    };

/**
 * Returns the operations of an application that a table lock blocks, by PostgreSQL's table of conflicting modes
 * (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES). A lock weaker than SHARE UPDATE
 * EXCLUSIVE counts as blocking nothing, because only schema changes of other sessions wait for it.
 */
export function blockedBy(mode: LockMode): Blocked {
  switch (mode) {
    case "ACCESS SHARE":
    case "ROW SHARE":
    case "ROW EXCLUSIVE":
      return "nothing";
    case "SHARE UPDATE EXCLUSIVE":
      return "other schema changes";
    case "SHARE":
    case "SHARE ROW EXCLUSIVE":
    case "EXCLUSIVE":
      return "writes";
    case "ACCESS EXCLUSIVE":
      return "reads and writes";
  }
}

export function stronger(one: LockMode, other: LockMode): LockMode {
  return lockModes.indexOf(one) >= lockModes.indexOf(other) ? one : other;
}
