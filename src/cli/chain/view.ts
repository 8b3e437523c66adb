import { applied } from "../../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../../lockfile/lock.ts";
import type { LiveState, Reading } from "../../plan/live-state.ts";

/** What of a revision the chain's pictures show. */
export interface RevisionView
  extends Pick<LockedRevision, "id" | "title" | "downRevisions" | "dependsOn" | "tables" | "reversible"> {
  /** From 1, in an order that works. */
  readonly position: number;
  /** Day of its making, as its file says it. */
  readonly day: string | null;
  /** Whether no revision comes after it. */
  readonly latest: boolean;
  /** Whether `alembic_version` holds it. */
  readonly current: boolean;
  /** `null` if the database was not asked, or its answer does not tell. */
  readonly status: "applied" | "pending" | null;
}

/** @returns Whether each revision is applied, as far as the database's answer tells. */
function statusOf(lock: Lock, live: Live | undefined): (id: string) => RevisionView["status"] {
  if (live?.reading.kind !== "rows") return () => null;
  const known = new Set(lock.revisions.map(({ id }) => id));
  const rows = live.reading.rows ?? [];
  if (!rows.every((row) => known.has(row))) return () => (live.state.kind === "ahead" ? "applied" : null);
  const done = applied(lock.revisions, rows);
  return (id) => (done.has(id) ? "applied" : "pending");
}

/** What the database answered, and what that means. */
export interface Live {
  readonly reading: Reading;
  readonly state: LiveState;
}

/** @returns The chain from its bases to its heads; against a database, if one was asked. */
export function viewChain(lock: Lock, live?: Live): readonly RevisionView[] {
  const status = statusOf(lock, live);
  const rows = (live?.reading.kind === "rows" && live.reading.rows) || [];
  return lock.revisions.map(({ id, title, downRevisions, dependsOn, tables, reversible, date }, index) => ({
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
  }));
}

/** @returns A date without its time of day; as it is, if it is written in another way than Alembic's. */
function dayOf(date: string | null): string | null {
  return /^\d{4}-\d\d-\d\d/.exec(date ?? "")?.[0] ?? date;
}
