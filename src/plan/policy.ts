import type { Finding } from "../lockfile/finding.ts";
import type { LockedRevision } from "../lockfile/lock.ts";
import type { Approval } from "./approvals.ts";

/** A finding with what the stack says to it. */
export interface EvaluatedFinding extends Finding {
  /** Whether one of the stack's approvals names it. */
  readonly approved: boolean;
}

/** A revision whose findings the stack was asked about. */
export interface EvaluatedRevision extends LockedRevision {
  readonly findings: readonly EvaluatedFinding[];
}

/** A finding that stops the update. */
export interface Unapproved {
  readonly revision: string;
  readonly file: string;
  readonly finding: Finding;
  /** The statement that it is about. */
  readonly sql: string | null;
}

/** @returns The revisions, each finding with whether one of `approvals` names it. */
export function evaluate(revisions: readonly LockedRevision[], approvals: readonly Approval[]): EvaluatedRevision[] {
  const approved = new Set(approvals.map(({ revision, rule }) => JSON.stringify([revision, rule])));
  return revisions.map((revision) => ({
    ...revision,
    findings: revision.findings.map((finding) => ({
      ...finding,
      approved: approved.has(JSON.stringify([revision.id, finding.rule])),
    })),
  }));
}

/** @returns Findings of level error that no approval names, in the order of the revisions. */
export function unapproved(revisions: readonly EvaluatedRevision[]): Unapproved[] {
  return revisions.flatMap(({ id, file, upgrade, findings }) =>
    findings
      .filter(({ level, approved }) => level === "error" && !approved)
      .map(({ approved: _, ...finding }) => ({
        revision: id,
        file,
        finding,
        sql: finding.statement === null ? null : (upgrade.sql?.[finding.statement] ?? null),
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
