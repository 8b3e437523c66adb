import { printableJson } from "../printable.ts";
import type { LockedEffects, LockedRehearsal } from "./evidence.ts";
import type { Lock, LockedRevision } from "./lock.ts";
import type { StatementLock } from "./statement-lock.ts";

/**
 * Formats a lockfile: keys in the order of {@link Lock}, two spaces, one newline at the end, and a line for each change and each
 * lock of the evidence. Hidden characters of SQL are escapes, so that a reviewer sees them.
 */
export function formatLock(lock: Lock): string {
  const { version, versionLocations, heads, bases, files, env, rehearsal } = lock;
  const { config, x, flaskApp } = lock.alembic;
  const alembic = { config, x, flaskApp };
  const versionTable = { schema: lock.versionTable.schema, name: lock.versionTable.name };
  const lines: string[] = [];
  const revisions = lock.revisions.map((revision) =>
    formatRevision(revision, (value) => nul + (lines.push(oneLine(value)) - 1)),
  );
  const evidence = rehearsal && { rehearsal: formatRehearsal(rehearsal) };
  const ordered = {
    version,
    alembic,
    versionLocations,
    versionTable,
    heads,
    bases,
    files,
    env,
    ...evidence,
    revisions,
  };
  return `${printableJson(ordered, 2).replaceAll(/"\\u0000(\d+)"/g, (_, index) => lines[Number(index)] ?? "")}\n`;
}

/** Starts the number of a line, as no text of a database does. */
const nul = "\0";

/** Returns JSON in one line. Line breaks in its strings are escapes. */
function oneLine(value: unknown): string {
  return printableJson(value, 1).replaceAll(/\n */g, " ");
}

function formatRehearsal({ chain, postgres, env, models }: LockedRehearsal): LockedRehearsal {
  return { chain, postgres, env, models };
}

function formatEffects(effects: LockedEffects, line: (value: unknown) => string) {
  const { locks, changes, downgrade, leaves, error, nondeterministic, variable } = effects;
  const lines = (values: readonly unknown[]) => values.map(line);
  return {
    locks: lines(locks),
    changes: lines(changes),
    downgrade,
    ...(leaves && { leaves: lines(leaves) }),
    ...(error !== undefined && { error }),
    ...(nondeterministic && { nondeterministic }),
    ...(variable !== undefined && { variable }),
  };
}

function formatRevision(revision: LockedRevision, line: (value: unknown) => string) {
  const { rehearsed } = revision;
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
    ...(rehearsed && { rehearsed: formatEffects(rehearsed, line) }),
  };
}

function formatStatementLock(lock: StatementLock): StatementLock {
  const { statement, table, mode, blocks } = lock;
  return mode === null
    ? { statement, table, mode, blocks: null, reason: lock.reason }
    : { statement, table, mode, blocks };
}
