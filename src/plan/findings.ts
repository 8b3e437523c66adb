import { type Finding, knownSql, type LockedRevision } from "../lockfile/lock.ts";
import type { Approval } from "./approvals.ts";

/** A finding and whether the stack approves it. */
export interface EvaluatedFinding extends Finding {
  /** Whether one of the stack's approvals matches it. */
  readonly approved: boolean;
}

/** A revision whose findings are compared with the stack's approvals. */
export interface EvaluatedRevision extends LockedRevision {
  readonly findings: readonly EvaluatedFinding[];
}

/** A finding that rejects the update. */
export interface Unapproved {
  readonly revision: string;
  readonly file: string;
  readonly finding: Finding;
  /** The statement that it concerns; `null` if it concerns the whole revision. */
  readonly sql: string | null;
}

/** Compares the findings of revisions with the stack's approvals. */
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

/** Returns the findings of level `error` without an approval, in the order of the revisions. */
export function unapproved(revisions: readonly EvaluatedRevision[]): Unapproved[] {
  const rejecting: Unapproved[] = [];
  for (const { id, file, upgrade, findings } of revisions) {
    for (const { approved, ...finding } of findings) {
      if (approved || finding.level !== "error") continue;
      const sql = finding.statement === null ? null : (knownSql(upgrade)?.[finding.statement] ?? null);
      rejecting.push({ revision: id, file, finding, sql });
    }
  }
  return rejecting;
}

/**
 * Omits findings and locks of pending revisions that concern only tables created by earlier pending revisions: such tables
 * are empty, and no running backend uses them. The tables of a revision that renames or drops an existing table don't
 * count as created, because the lockfile doesn't record which one is the renamed table.
 */
export function withoutNewTables(pending: readonly LockedRevision[]): LockedRevision[] {
  const created = new Set<string>();
  return pending.map((revision) => {
    const { findings, locks, tables } = revision;
    const isNew = (statement: number | null) => {
      const taken = locks.filter((lock) => lock.statement === statement);
      return taken.length > 0 && taken.every(({ table }) => table !== null && created.has(table));
    };
    const result = {
      ...revision,
      findings: findings.filter(({ statement }) => !isNew(statement)),
      locks: locks.filter(({ table }) => table === null || !created.has(table)),
    };
    if (tables?.dropped.every((name) => created.has(name))) for (const name of tables.created) created.add(name);
    for (const name of tables?.dropped ?? []) created.delete(name);
    return result;
  });
}
