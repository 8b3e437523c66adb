import { pending } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";
import { planHash } from "./plan-hash.ts";
import { evaluate, type Unapproved, unapproved } from "./policy.ts";
import type { Work, WorkInputs } from "./work.ts";

/** Why an update must not go on that the database's state allows. */
export interface PlanRejection {
  /** Why revisions must not be undone; empty if they may, or none would be. */
  readonly goingBack: readonly string[];
  /** Findings that the stack has to approve. */
  readonly unapproved: readonly Unapproved[];
  /** The plan that was pinned is not this one; `found` is `null` if the database could not be asked. */
  readonly stale: {
    readonly expected: string | null;
    readonly found: string | null;
    readonly because: string;
  } | null;
  /** No plan was pinned, and this stack carries out none but a pinned one; `found` as above. */
  readonly unpinned: { readonly found: string | null } | null;
}

/** What a stack pins to let through an update while the database can't be asked, and only then. */
export const unknownPlan = "unknown";

/** What a stack allows. */
export interface RejectionInputs extends WorkInputs {
  /** Image that migrates. */
  readonly image: string;
  /**
   * Whether revisions beyond the target may be undone.
   *
   * @default false
   */
  readonly allowDowngrade?: boolean | undefined;
  /** Hash of the plan that was reviewed, if the stack pins it; or {@link unknownPlan}. */
  readonly pinnedHash: string | undefined;
  /**
   * Whether only a pinned plan may be carried out.
   *
   * @default false
   */
  readonly pinRequired?: boolean | undefined;
}

/**
 * @param hash Of the plan; `null` if there is none.
 * @returns What the stack does not allow of the work; `null` if it allows all.
 */
export function rejectPlan(inputs: RejectionInputs, work: Work, hash: string | null): PlanRejection | null {
  const { lock, image, approvals, pinnedHash, pinRequired = false, allowDowngrade = false } = inputs;
  const { direction, from, revisions, seen } = work;
  const back = direction === "downgrade";
  // Of a database that can't be asked each revision may be pending: the update may mend it, and then migrate it.
  const findings = back ? [] : unapproved(seen ?? evaluate(lock.revisions, approvals));
  const goingBack = back ? hindrances(revisions ?? [], allowDowngrade) : [];
  const pinned = pinnedHash === unknownPlan ? null : pinnedHash;
  const isOther = pinned !== undefined && revisions?.length !== 0 && hash !== pinned;
  const stale = isOther
    ? { expected: pinned, found: hash, because: explainStalePlan(pinned, { lock, image, from, pending: revisions }) }
    : null;
  const isUnpinned = pinRequired && pinnedHash === undefined && revisions?.length !== 0;
  const unpinned = isUnpinned ? { found: hash } : null;
  const rejected = findings.length > 0 || goingBack.length > 0 || stale !== null || unpinned !== null;
  return rejected ? { goingBack, unapproved: findings, stale, unpinned } : null;
}

/** What is against undoing revisions. */
function hindrances(revisions: readonly LockedRevision[], allowed: boolean): readonly string[] {
  const permission = allowed
    ? []
    : [
        "This stack does not allow to go back, which loses what the undone tables and columns hold. To allow it: " +
          "pulumi config set allowDowngrade true && pulumi config set restorePoint true",
      ];
  const lasting = revisions
    .filter(({ reversible }) => reversible === false)
    .map(
      ({ id, reversibleReason }) => `${id} can't be undone: ${reversibleReason}. Bring back a restore point instead.`,
    );
  return [...permission, ...lasting];
}

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
