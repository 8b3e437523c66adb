import type { LockedRevision, LockedTables } from "./lock.ts";
import { blockedBy, type LockMode, type StatementLock } from "./statement-lock.ts";

/** The maximum length of a shortened statement. */
const statementLimit = 100;

/** Joins the lines of a text. */
export function singleLine(statement: string): string {
  return statement.replaceAll(/\s+/g, " ").trim();
}

/** Joins the lines of a statement, and truncates it to the length that a plan shows. */
export function shorten(statement: string): string {
  const text = singleLine(statement);
  return text.length > statementLimit ? `${text.slice(0, statementLimit - 1)}…` : text;
}

/** Describes the tables of an upgrade in phrases such as `creates users, roles`; none if it changes no table. */
export function tableChanges(tables: LockedTables | null): string[] {
  if (tables === null) return ["tables unknown"];
  const { created, altered, dropped } = tables;
  const phrases: string[] = [];
  if (created.length > 0) phrases.push(`creates ${created.join(", ")}`);
  if (altered.length > 0) phrases.push(`alters ${altered.join(", ")}`);
  if (dropped.length > 0) phrases.push(`drops ${dropped.join(", ")}`);
  return phrases;
}

/** Describes what table locks block: one phrase for all tables that are locked in the same mode. */
export function describeLocks(locks: readonly StatementLock[]): string[] {
  const tables = new Map<LockMode, Set<string>>();
  const unknown: string[] = [];
  for (const lock of locks) {
    if (lock.mode === null) unknown.push(`locks unknown: ${lock.reason}`);
    else if (lock.blocks !== "nothing") tables.set(lock.mode, (tables.get(lock.mode) ?? new Set()).add(lock.table));
  }
  const phrases = [...tables].map(([mode, names]) => `blocks ${blockedBy(mode)} of ${[...names].join(", ")} (${mode})`);
  return [...phrases, ...unknown];
}

/** Describes whether a revision can be downgraded, and why not. */
export function describeReversible({ reversible, reversibleReason }: LockedRevision): string {
  if (reversible) return "reversible";
  return `${reversible === false ? "irreversible" : "reversibility unknown"}: ${reversibleReason}`;
}
