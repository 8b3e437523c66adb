import type { LockMode } from "../../../lockfile/statement-lock.ts";

/** A lock on a table. */
export interface TableLock {
  readonly table: string;
  readonly mode: LockMode;
}

/** What a statement does to tables, as far as its text and the chain before it tell. */
export interface Effect {
  /** Tables that it is about, those aside that it merely refers to. */
  readonly subjects: readonly string[];
  readonly locks: readonly TableLock[];
  /** Tables and views that were not there before. */
  readonly creates: readonly string[];
  /** A table's old and new name. */
  readonly renames?: { readonly from: string; readonly to: string };
  /** Why its locks are not known, if they aren't. */
  readonly unknown?: string;
}

/** A statement that locks no table. */
export const noEffect: Effect = { subjects: [], locks: [], creates: [] };

/** @returns The effect of a statement about `subjects`, which locks each of them, and `others`. */
export function locking(mode: LockMode, subjects: readonly string[], others: readonly TableLock[] = []): Effect {
  return { subjects, locks: [...lockAll(mode, subjects), ...others], creates: [] };
}

/** @returns The effect of a statement that makes `table`, which nobody else sees before the commit, and locks others. */
export function creating(table: string, locks: readonly TableLock[] = []): Effect {
  return { subjects: [table], locks, creates: [table] };
}

/** @returns The effect of a statement whose locks only the database knows. */
export function unknown(reason: string, subjects: readonly string[] = []): Effect {
  return { subjects, locks: [], creates: [], unknown: reason };
}

/** @returns The same lock on each table. */
export function lockAll(mode: LockMode, tables: readonly string[]): TableLock[] {
  return tables.map((table) => ({ table, mode }));
}
