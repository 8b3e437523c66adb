import { printableJson } from "../printable.ts";
import type { Lock, LockedRevision } from "./lock.ts";
import type { StatementLock } from "./statement-lock.ts";

/**
 * Formats a lockfile: keys in the order of {@link Lock}, two spaces, one newline at the end. Hidden characters of SQL are
 * escapes, so that a reviewer sees them.
 */
export function formatLock(lock: Lock): string {
  const { version, versionLocations, heads, bases, files, env } = lock;
  const { config, x, flaskApp } = lock.alembic;
  const alembic = { config, x, flaskApp };
  const versionTable = { schema: lock.versionTable.schema, name: lock.versionTable.name };
  const revisions = lock.revisions.map(formatRevision);
  const ordered = { version, alembic, versionLocations, versionTable, heads, bases, files, env, revisions };
  return `${printableJson(ordered, 2)}\n`;
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
    files: revision.files,
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
    indexes: { built: revision.indexes.built, repaired: revision.indexes.repaired },
    rollbackBlocker: revision.rollbackBlocker,
  };
}

function formatStatementLock(lock: StatementLock): StatementLock {
  const { statement, table, mode, blocks } = lock;
  return mode === null
    ? { statement, table, mode, blocks: null, reason: lock.reason }
    : { statement, table, mode, blocks };
}
