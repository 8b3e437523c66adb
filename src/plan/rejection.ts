import { beyond, pending } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";
import { evaluate, type Unapproved, unapproved } from "./findings.ts";
import { type Direction, isOfOtherVersion, planHash } from "./plan-hash.ts";
import { type Remedies, stackRemedies } from "./remedies.ts";
import type { Work, WorkInputs } from "./work.ts";

/** The reasons why the stack's settings don't allow a plan. */
export interface PlanRejection {
  /** Why the downgrade is not allowed; empty if it is, or if the plan is an upgrade. */
  readonly goingBack: readonly string[];
  /** Findings that require the stack's approval. */
  readonly unapproved: readonly Unapproved[];
  /** The pinned plan is not this one; `found` is `null` if the database revision is unknown. */
  readonly stale: {
    readonly expected: string | null;
    readonly found: string | null;
    readonly because: string;
  } | null;
  /** The stack requires a pinned plan, and has none; `found` as above. */
  readonly unpinned: { readonly found: string | null } | null;
}

/** The value of `planHash` that allows an update while the database revision is unknown, and only then. */
export const unknownPlan = "unknown";

/** The stack's settings that restrict a plan. */
export interface RejectionInputs extends WorkInputs {
  /** Image of the migration; `undefined` in the preview of a program that builds it. */
  readonly image: string | undefined;
  /**
   * Whether revisions beyond the target may be downgraded.
   *
   * @defaultValue false
   */
  readonly allowDowngrade?: boolean | undefined;
  /** Hash of the reviewed plan if the stack pins it, or {@link unknownPlan}. */
  readonly pinnedHash: string | undefined;
  /**
   * Whether only a pinned plan is allowed.
   *
   * @defaultValue false
   */
  readonly pinRequired?: boolean | undefined;
  /**
   * How to change what the plan depends on.
   *
   * @defaultValue by the settings of Unity's stacks
   */
  readonly remedies?: Remedies | undefined;
}

/**
 * Determines why the stack's settings don't allow a plan.
 *
 * @param hash - Hash of the plan; `null` if nothing is pending, or the database revision is unknown.
 * @returns The reasons; `null` if there are none.
 */
export function rejectPlan(inputs: RejectionInputs, work: Work, hash: string | null): PlanRejection | null {
  const {
    lock,
    image,
    approvals,
    pinnedHash,
    pinRequired = false,
    allowDowngrade = false,
    remedies = stackRemedies,
  } = inputs;
  const { direction, revisions, seen } = work;
  const isDowngrade = direction === "downgrade";
  const goingBack = isDowngrade ? downgradeErrors(revisions ?? [], allowDowngrade, remedies) : [];
  // Any revision may be pending if the revision of the database is unknown: the update may fix and then migrate it.
  const findings = isDowngrade ? [] : unapproved(seen ?? evaluate(lock.revisions, approvals));
  const isPending = revisions?.length !== 0;
  const stale =
    isPending && pinnedHash !== undefined && image !== undefined
      ? comparePinned(pinnedHash, hash, { ...inputs, image }, work)
      : null;
  const unpinned = isPending && pinnedHash === undefined && pinRequired ? { found: hash } : null;
  if (goingBack.length === 0 && findings.length === 0 && stale === null && unpinned === null) return null;
  return { goingBack, unapproved: findings, stale, unpinned };
}

function downgradeErrors(
  revisions: readonly LockedRevision[],
  allowed: boolean,
  remedies: Remedies,
): readonly string[] {
  const errors: string[] = [];
  if (!allowed) errors.push(`downgrades are disabled: they delete data. To enable, ${remedies.allowDowngrade}`);
  for (const { id, reversible, reversibleReason } of revisions) {
    if (reversible === false)
      errors.push(`revision ${id} is irreversible: ${reversibleReason}. Restore from a restore point instead`);
  }
  return errors;
}

function comparePinned(
  pinnedHash: string,
  hash: string | null,
  { lock, image, targetRevision }: RejectionInputs & { readonly image: string },
  { direction, from, revisions }: Work,
): PlanRejection["stale"] {
  const expected = pinnedHash === unknownPlan ? null : pinnedHash;
  if (hash === expected) return null;
  const current = { lock, image, targetRevision, direction, from, pending: revisions };
  return { expected, found: hash, because: explainStalePlan(expected, current) };
}

/** The number of revisions before the head, or before the end of the plan, to try: plans are pinned for a short time. */
const tried = 50;

/** The plan as of now. */
interface CurrentPlan {
  readonly lock: Lock;
  readonly image: string;
  /** @defaultValue the lockfile's heads */
  readonly targetRevision?: string | undefined;
  readonly direction: Direction;
  /** Rows of the version table; `null` if they are unknown. */
  readonly from: readonly string[] | null;
  readonly pending: readonly LockedRevision[] | null;
}

/**
 * Explains how a plan differs from the pinned one. A hash doesn't reveal its content, so it tries the likely plans: the
 * same image and lockfile on a database at another revision, and the same database with fewer pending revisions.
 *
 * @param pinned - The pinned hash; `null` if the plan of an unknown database revision was pinned.
 */
export function explainStalePlan(pinned: string | null, current: CurrentPlan): string {
  const { lock, image, targetRevision, direction, from, pending: left } = current;
  if (pinned !== null && isOfOtherVersion(pinned))
    return "The pinned hash is from another version of this program, whose hashes cover something else.";
  if (from === null || left === null) return "The database revision is no longer known.";
  const at = from.join(", ") || "base";
  if (pinned === null) return `The database revision is now known: ${at}.`;
  const revisionsFrom = (ids: readonly string[]) =>
    direction === "downgrade" && targetRevision !== undefined
      ? beyond(lock, ids, targetRevision)
      : pending(lock, ids, targetRevision === undefined ? lock.heads : [targetRevision]);
  const hashOf = (ids: readonly string[], revisions: readonly LockedRevision[]) =>
    planHash({ image, direction, from: ids, lock }, revisions);
  const starts = [[], ...lock.revisions.slice(-tried).map(({ id }) => [id])];
  const start = starts.find((ids) => hashOf(ids, revisionsFrom(ids)) === pinned);
  if (start !== undefined) return `The pinned plan starts at ${start[0] ?? "base"}; the database is at ${at}.`;
  const ends = left.map((_, index) => index).slice(-tried);
  const end = ends.find((end) => hashOf(from, left.slice(0, end)) === pinned);
  if (end !== undefined) {
    const added = left.slice(end).map(({ id }) => id);
    return `The lockfile has new revisions: ${added.join(", ")}.`;
  }
  return `The image, the options of Alembic, the SQL, or a file of a pending revision changed: now ${at} -> ${left.at(-1)?.id} with ${image}.`;
}
