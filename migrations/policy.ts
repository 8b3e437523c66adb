import type { Approval } from "./approvals.ts";
import type { Finding } from "./finding.ts";
import type { LockedRevision } from "./lock.ts";

/** A finding with what the stack says to it. */
export interface JudgedFinding extends Finding {
  /** Whether one of the stack's approvals names it. */
  readonly approved: boolean;
}

/** A finding that stops the update. */
export interface Unapproved {
  readonly revision: string;
  readonly file: string;
  readonly finding: Finding;
  /** The statement that it is about. */
  readonly sql: string | null;
}

/** @returns The findings of a revision, each with whether it is approved. */
export function judge({ id, findings }: LockedRevision, approvals: readonly Approval[]): JudgedFinding[] {
  return findings.map((finding) => ({
    ...finding,
    approved: approvals.some(({ revision, rule }) => revision === id && rule === finding.rule),
  }));
}

/** @returns Findings of level error that no approval names, in the order of the revisions. */
export function unapproved(revisions: readonly LockedRevision[], approvals: readonly Approval[]): Unapproved[] {
  return revisions.flatMap((revision) =>
    judge(revision, approvals)
      .filter(({ level, approved }) => level === "error" && !approved)
      .map(({ approved: _, ...finding }) => ({
        revision: revision.id,
        file: revision.file,
        finding,
        sql: finding.statement === null ? null : (revision.upgrade.sql?.[finding.statement] ?? null),
      })),
  );
}

/**
 * Leaves out of pending revisions what concerns only tables that the pending ones before them make: they are empty, and
 * no running backend knows them. A revision that renames or drops a table which was there gives no new one: the lock
 * doesn't say which of its tables is the old one by another name.
 */
export function withoutNewTables(pending: readonly LockedRevision[]): LockedRevision[] {
  const made = new Set<string>();
  return pending.map((revision) => {
    const { findings, locks, tables } = revision;
    const isNew = (statement: number | null) => {
      const taken = locks.filter((lock) => lock.statement === statement);
      return taken.length > 0 && taken.every(({ table }) => table !== null && made.has(table));
    };
    const result = {
      ...revision,
      findings: findings.filter(({ statement }) => !isNew(statement)),
      locks: locks.filter(({ table }) => table === null || !made.has(table)),
    };
    if (tables?.dropped.every((name) => made.has(name))) for (const name of tables.created) made.add(name);
    for (const name of tables?.dropped ?? []) made.delete(name);
    return result;
  });
}
