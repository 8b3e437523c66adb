import type { LockedRevision } from "../lockfile/lock.ts";
import { explainStalePlan } from "./moved-plan.ts";
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
