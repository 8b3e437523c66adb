import { type LockedEffects, type PackedLock, packChanges } from "../../lockfile/evidence.ts";
import type { Lock, LockedRevision, LockedSql } from "../../lockfile/lock.ts";
import { type Evidence, rehearsalDigest, withEvidence } from "../../lockfile/rehearsal.ts";
import { type LockMode, stronger } from "../../lockfile/statement-lock.ts";
import type { RanStatement, Rehearsal, RehearsedRevision } from "./rehearsal.ts";

/** Statements by which Alembic's offline mode shows that those between them commit themselves. */
export const markers: ReadonlySet<string> = new Set(["COMMIT;", "BEGIN;"]);

/** Returns a lockfile with the evidence of a rehearsal, and no other. */
export function addEvidence(lock: Lock, { postgres, models, revisions }: Rehearsal, env: readonly string[]): Lock {
  const ran = new Map(revisions.map((revision) => [revision.id, revision]));
  const major = /^\d+/.exec(postgres)?.[0] ?? postgres;
  return {
    ...lock,
    rehearsal: { chain: rehearsalDigest(lock, major), postgres: major, env, models },
    revisions: lock.revisions.map(({ rehearsed: _, ...revision }) => {
      const bare = { ...revision, upgrade: rendered(revision.upgrade), downgrade: rendered(revision.downgrade) };
      const found = ran.get(revision.id);
      return found === undefined ? bare : withEvidence(bare, evidenceOn(bare, found));
    }),
  };
}

function rendered({ rehearsed: _, ...direction }: LockedSql): LockedSql {
  return direction;
}

function evidenceOn(locked: Pick<LockedRevision, "upgrade" | "downgrade">, ran: RehearsedRevision): Evidence {
  const { downgradeError, nondeterministic, variable } = ran;
  const upgrade = differing(locked.upgrade, ran.upgrade);
  const downgrade = downgradeError === null ? differing(locked.downgrade, ran.downgrade) : undefined;
  return {
    upgrade: nondeterministic || variable !== null ? undefined : upgrade,
    downgrade: variable !== null ? undefined : downgrade,
    rehearsed: effectsOf(ran, locked.upgrade.sql ?? upgrade ?? []),
  };
}

function effectsOf(ran: RehearsedRevision, sql: readonly string[]): LockedEffects {
  const { changes, leaves, downgradeError, againError, nondeterministic, variable } = ran;
  const isComplete = leaves.length === 0 && againError === null;
  const downgrade = downgradeError !== null ? "failed" : isComplete ? "complete" : "incomplete";
  const reported = downgradeError ?? againError;
  const error = reported !== null && { error: reported };
  if (nondeterministic || variable !== null) {
    const reason = variable === null ? ({ nondeterministic: true } as const) : { variable };
    return { locks: [], changes: [], downgrade, ...error, ...reason };
  }
  const left = leaves.length > 0 && { leaves: packChanges(leaves) };
  return { locks: locksOf(ran, sql), changes: packChanges(changes), downgrade, ...left, ...error };
}

/** Returns the statements that ran, with markers, unless they are the rendered ones. */
function differing({ sql }: LockedSql, ran: readonly RanStatement[]): readonly string[] | undefined {
  const plain = counted(ran).map((statement) => statement.sql);
  const others = sql?.filter((statement) => !markers.has(statement));
  if (others !== undefined && JSON.stringify(others) === JSON.stringify(plain)) return undefined;
  const marked: string[] = [];
  let isAlone = false;
  for (const statement of counted(ran)) {
    if (statement.autocommit !== isAlone) marked.push(statement.autocommit ? "COMMIT;" : "BEGIN;");
    isAlone = statement.autocommit;
    marked.push(statement.sql);
  }
  return isAlone ? [...marked, "BEGIN;"] : marked;
}

/** Returns the statements that count: those that succeeded and don't only read catalogs, as SQLAlchemy's version decides. */
function counted(ran: readonly RanStatement[]): readonly RanStatement[] {
  return ran.filter(({ failed, readsCatalog }) => !failed && !readsCatalog);
}

/** Returns the strongest lock of each statement on each existing table, except those that any reader takes. */
function locksOf({ upgrade, changes }: RehearsedRevision, sql: readonly string[]): PackedLock[] {
  const places = [...sql.keys()].filter((index) => !markers.has(sql[index] ?? ""));
  const statements = counted(upgrade);
  if (places.length !== statements.length) return []; // the rendered SQL is other SQL
  const created = new Set(
    changes.flatMap(({ kind, path, object }) => (kind === "added" && path.length === 0 ? object.name : [])),
  );
  return statements.flatMap(({ locks }, number) => {
    const strongest = new Map<string, LockMode>();
    for (const [table, mode] of locks) strongest.set(table, stronger(mode, strongest.get(table) ?? mode));
    return [...strongest]
      .filter(([table, mode]) => !created.has(table) && mode !== "ACCESS SHARE" && mode !== "ROW SHARE")
      .map(([table, mode]): PackedLock => [places[number] ?? 0, table, mode]);
  });
}
