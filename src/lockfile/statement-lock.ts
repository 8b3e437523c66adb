/** PostgreSQL's table-level lock modes, from the weakest to the strongest; their order is that of its own numbers. */
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

/** What other sessions can't do to the table until the transaction ends. */
export type Blocked = "nothing" | "other schema changes" | "writes" | "reads and writes";

/** A lock that a statement takes, or why its locks are not known. */
export type StatementLock =
  | {
      /** Index into `upgrade.sql`. */
      readonly statement: number;
      /** `schema.table` where the statement names a schema. */
      readonly table: string;
      readonly mode: LockMode;
      readonly blocks: Blocked;
    }
  | {
      readonly statement: number;
      readonly table: null;
      readonly mode: null;
      readonly blocks: null;
      /** Why only the database could tell. */
      readonly reason: string;
    };

/**
 * What a lock keeps an application from doing, by PostgreSQL's table of conflicting modes
 * (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES). A weaker lock than SHARE UPDATE
 * EXCLUSIVE counts as blocking nothing: it only makes the schema changes of others wait.
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

/** @returns The stronger of two modes. */
export function stronger(one: LockMode, other: LockMode): LockMode {
  return lockModes.indexOf(one) >= lockModes.indexOf(other) ? one : other;
}

/** @returns What locks keep others from doing: one phrase for all tables that are locked in the same mode. */
export function describeLocks(locks: readonly StatementLock[]): string[] {
  const known = locks.flatMap((lock) => (lock.mode === null || lock.blocks === "nothing" ? [] : [lock]));
  const phrases = [...Map.groupBy(known, ({ mode }) => mode)].map(
    ([mode, [first, ...others]]) =>
      `blocks ${first?.blocks} of ${[...new Set([first, ...others].map((lock) => lock?.table))].join(", ")} (${mode})`,
  );
  return [...phrases, ...locks.flatMap((lock) => (lock.mode === null ? [`locks not known: ${lock.reason}`] : []))];
}
