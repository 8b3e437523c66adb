import { applied, predecessors } from "../lockfile/chain.ts";
import type { DatabaseSchema } from "../lockfile/database-schema/database-schema.ts";
import { breaksOlderCode, type Lock, type LockedRevision } from "../lockfile/lock.ts";
import { rehearsedSchema } from "../lockfile/rehearsal.ts";
import { mayBreak } from "./running-release.ts";

/** A pod of the app, and the revision that its code was made for. */
export interface ReleasePod {
  readonly name: string;
  readonly head: string;
}

/** A pending revision that waits until pods of older releases are gone. */
export interface WaitingRevision {
  readonly revision: string;
  /** The revisions that it follows: code that was made for them keeps working, as its approval says. */
  readonly after: readonly string[];
  /** Why older code may fail. */
  readonly blocker: string;
  readonly pods: readonly ReleasePod[];
}

/**
 * Finds the first pending revision that breaks code of running pods, as its rehearsal found. The approval that it requires
 * speaks for the release before it; pods of earlier ones must be gone.
 *
 * @param revisions - Revisions to apply, in their order.
 * @param pods - Pods whose head the lockfile lacks are of later releases, or of another chain; they are not waited for.
 * @returns `null` if nothing has to wait.
 */
export function waitingRevision(
  lock: Lock,
  revisions: readonly LockedRevision[],
  pods: readonly ReleasePod[],
): WaitingRevision | null {
  for (const revision of revisions) {
    const { id, rollbackBlocker: blocker } = revision;
    if (blocker === null || !breaksOlderCode(revision)) continue;
    const after = predecessors(revision);
    const earlier = applied(lock.revisions, after);
    for (const each of after) earlier.delete(each);
    const old = pods.filter(({ head }) => earlier.has(head));
    if (old.length === 0) continue;
    const schema = schemaAt(lock, id);
    const broken = old.filter(({ head }) => mayBreak(schemaAt(lock, head), schema, revision));
    if (broken.length > 0) return { revision: id, after, blocker, pods: broken };
  }
  return null;
}

/** Returns the rehearsed schema of a database at a revision; `null` if it is not known. */
function schemaAt(lock: Lock, revision: string): DatabaseSchema | null {
  const has = applied(lock.revisions, [revision]);
  return rehearsedSchema(lock, (id) => has.has(id));
}

/** Describes in one line what a revision waits for. */
export function describeWaiting({ revision, after, blocker, pods }: WaitingRevision): string {
  const names = pods.map(({ name, head }) => `${name} (${head})`).join(", ");
  return `Revision ${revision} waits until no pod of a release before ${after.join(", ")} is left, because it ${blocker}: ${names}`;
}
