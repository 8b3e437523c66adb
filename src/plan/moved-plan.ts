import { pending } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";
import { planHash } from "./plan-hash.ts";

/** Revisions from the head, or from the end of the plan, that are tried: a plan is not pinned for long. */
const tried = 50;

/** The plan that is there now. */
interface CurrentPlan {
  readonly lock: Lock;
  readonly image: string;
  /** Rows of `alembic_version`; `null` if the database could not be asked. */
  readonly from: readonly string[] | null;
  readonly pending: readonly LockedRevision[] | null;
}

/**
 * Finds out in what a plan differs from the one whose hash was pinned. A hash tells no content, but the likely plans can
 * be tried: the same work from another revision, and the same start with fewer revisions.
 *
 * @param pinned `null` for the plan of a database that could not be asked.
 * @returns One sentence.
 */
export function explainStalePlan(pinned: string | null, { lock, image, from, pending: left }: CurrentPlan): string {
  if (from === null || left === null) return "The database can't be asked, so that nobody knows what would be done.";
  const at = from.join(", ") || "no revision";
  if (pinned === null) return `The database can be asked now: it is at ${at}.`;
  const starts = [[], ...lock.revisions.slice(-tried).map(({ id }) => [id])];
  const start = starts.find((ids) => planHash(image, ids, pending(lock, ids)) === pinned);
  if (start !== undefined) {
    return `The pinned plan begins at ${start[0] ?? "an empty database"}; the database is at ${at}.`;
  }
  const ends = left.map((_, index) => index).slice(-tried);
  const end = ends.find((end) => planHash(image, from, left.slice(0, end)) === pinned);
  if (end !== undefined) {
    const added = left.slice(end).map(({ id }) => id);
    return `Since then the release has got ${added.join(", ")}.`;
  }
  const to = left.at(-1)?.id;
  return `Image or SQL of a pending revision are not those of then: this plan takes ${image} from ${at} to ${to}.`;
}
