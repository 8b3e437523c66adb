import { applied } from "../lockfile/chain.ts";
import { incompatibilities } from "../lockfile/database-schema/compatibility.ts";
import type { DatabaseSchema } from "../lockfile/database-schema/database-schema.ts";
import { breaksOlderCode, breaksRunningRelease, type Lock, type LockedRevision } from "../lockfile/lock.ts";
import { rehearsedSchema, schemaAfter } from "../lockfile/rehearsal.ts";
import type { Parse } from "../lockfile/sql-parser.ts";

/** Whether the release that runs keeps working while an upgrade runs, and after it. */
export interface RunningRelease {
  /** Revisions of the database that it was made for. */
  readonly heads: readonly string[];
  /** The first pending revision with which it may fail, and why; `null` if it keeps working. */
  readonly breaks: { readonly revision: string; readonly blocker: string } | null;
}

/** Treats every index and check as one that may reject rows, without reading its expression. */
const unparsed: Parse = () => ({ error: "not parsed" });

/**
 * Determines whether the running release keeps working with pending revisions.
 *
 * A revision was compared with the one before it. If what it breaks is newer than the running release, because another pending
 * revision adds it, it breaks nothing.
 *
 * @param from - Rows of the version table.
 * @param revisions - Pending revisions, in their order.
 * @returns The release; `null` if none runs, because the database has no revision.
 */
export function runningRelease(
  lock: Lock,
  from: readonly string[],
  revisions: readonly LockedRevision[],
): RunningRelease | null {
  if (from.length === 0) return null;
  const has = applied(lock.revisions, from);
  const before = rehearsedSchema(lock, (id) => has.has(id));
  let after = before;
  for (const revision of revisions) {
    const { id, rollbackBlocker } = revision;
    after = after && schemaAfter(after, revision);
    if (rollbackBlocker !== null && mayBreak(before, after, revision))
      return { heads: from, breaks: { revision: id, blocker: rollbackBlocker } };
  }
  return { heads: from, breaks: null };
}

/**
 * Whether a revision that may break the code of the revision before it may also break code that was made for an earlier
 * schema.
 *
 * @param before - The schema of that code; `null` if unknown.
 * @param after - The schema after the revision; `null` if unknown.
 */
export function mayBreak(
  before: DatabaseSchema | null,
  after: DatabaseSchema | null,
  revision: Pick<LockedRevision, "findings">,
): boolean {
  if (!breaksOlderCode(revision) || before === null || after === null) return true;
  return incompatibilities(before, after, unparsed).length > 0;
}

/** Omits the findings about running releases of revisions before the first one that breaks the running one. */
export function withoutNewObjects(
  revisions: readonly LockedRevision[],
  release: RunningRelease | null,
): LockedRevision[] {
  const first = revisions.findIndex(({ id }) => id === release?.breaks?.revision);
  return revisions.map((revision, index) => {
    if (first !== -1 && index >= first) return revision;
    return { ...revision, findings: revision.findings.filter(({ rule }) => rule !== breaksRunningRelease) };
  });
}

/** Describes the release that runs in one line. */
export function describeRunningRelease({ heads, breaks }: RunningRelease): string {
  const release = `The running release (${heads.join(", ")})`;
  if (breaks === null) return `${release} keeps working during and after this migration`;
  return `${release} may fail from revision ${breaks.revision} on: ${breaks.blocker}`;
}
