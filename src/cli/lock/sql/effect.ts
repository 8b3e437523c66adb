import type { LockMode } from "../../../lockfile/statement-lock.ts";

export interface TableLock {
  readonly table: string;
  readonly mode: LockMode;
}

/** Effect of a statement on tables, by its text and the chain before it. */
export interface Effect {
  /** Tables that it changes or reads, without those that it only references. */
  readonly subjects: readonly string[];
  readonly locks: readonly TableLock[];
  /** Tables and views that it creates. */
  readonly creates: readonly string[];
  /** A table's old and new name. */
  readonly renames?: { readonly from: string; readonly to: string };
  /** Reason why its locks are unknown. */
  readonly unknown?: string;
}

/** Effect of a statement that locks no table. */
export const noEffect: Effect = { subjects: [], locks: [], creates: [] };

/** Returns the effect of a statement that locks each of its subjects, and `others`. */
export function locking(mode: LockMode, subjects: readonly string[], others: readonly TableLock[] = []): Effect {
  return { subjects, locks: [...lockAll(mode, subjects), ...others], creates: [] };
}

/** Returns the effect of a statement that creates `table`, which other sessions don't see before the commit. */
export function creating(table: string, locks: readonly TableLock[] = []): Effect {
  return { subjects: [table], locks, creates: [table] };
}

/** Returns the effect of a statement whose locks only the database knows. */
export function unknown(reason: string, subjects: readonly string[] = []): Effect {
  return { subjects, locks: [], creates: [], unknown: reason };
}

/** Returns the same lock on each table. */
export function lockAll(mode: LockMode, tables: readonly string[]): TableLock[] {
  return tables.map((table) => ({ table, mode }));
}

/** Returns everything that `next` leads to from `start`, without `start`. */
export function closure(start: readonly string[], next: (name: string) => readonly string[]): string[] {
  const found = new Set(start);
  for (const name of found) for (const other of next(name)) found.add(other);
  return [...found].filter((name) => !start.includes(name));
}
