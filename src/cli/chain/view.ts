import { applied } from "../../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../../lockfile/lock.ts";
import { describeEvidence } from "../../lockfile/rehearsal.ts";
import type { LiveState, Reading } from "../../plan/live-state.ts";

/** A revision as the chain's picture shows it. */
export interface RevisionView
  extends Pick<LockedRevision, "id" | "title" | "downRevisions" | "dependsOn" | "tables" | "reversible"> {
  /** Position from 1, in an order of application. */
  readonly position: number;
  /** Day of its creation, by its file. */
  readonly day: string | null;
  /** Whether it is a head. */
  readonly latest: boolean;
  /** Whether the version table holds it. */
  readonly current: boolean;
  /** `null` if the database was not queried or has an unknown revision. */
  readonly status: "applied" | "pending" | null;
  /** Result of its rehearsal in a phrase. */
  readonly evidence: string;
}

/** Returns a function for the status of each revision, by what the database has. */
function statusOf(lock: Lock, live: Live | undefined): (id: string) => RevisionView["status"] {
  if (live?.reading.kind !== "rows") return () => null;
  const known = new Set(lock.revisions.map(({ id }) => id));
  const rows = live.reading.rows ?? [];
  if (!rows.every((row) => known.has(row))) return () => (live.state.kind === "ahead" ? "applied" : null);
  const done = applied(lock.revisions, rows);
  return (id) => (done.has(id) ? "applied" : "pending");
}

/** The database's revisions, and the state that they mean. */
export interface Live {
  readonly reading: Reading;
  readonly state: LiveState;
}

/** Returns the chain from its bases to its heads, with each revision's status in a database that was queried. */
export function viewChain(lock: Lock, live?: Live): readonly RevisionView[] {
  const status = statusOf(lock, live);
  const rows = (live?.reading.kind === "rows" && live.reading.rows) || [];
  return lock.revisions.map((revision, index) => {
    const { id, title, downRevisions, dependsOn, tables, reversible, date } = revision;
    return {
      position: index + 1,
      id,
      title,
      day: dayOf(date),
      downRevisions,
      dependsOn,
      tables,
      reversible,
      latest: lock.heads.includes(id),
      current: rows.includes(id),
      status: status(id),
      evidence: describeEvidence(revision),
    };
  });
}

/** Returns a date without its time; unchanged if it isn't in Alembic's format. */
function dayOf(date: string | null): string | null {
  return /^\d{4}-\d\d-\d\d/.exec(date ?? "")?.[0] ?? date;
}
