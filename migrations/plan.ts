import type { Approval } from "./approvals.ts";
import { pending } from "./chain.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "./job-identity.ts";
import {
  classify,
  type Description,
  describeState,
  type Goal,
  type LiveState,
  needsPerson,
  type Reading,
} from "./live-state.ts";
import { head, type Lock, type LockedRevision } from "./lock.ts";
import { explainMove } from "./moved-plan.ts";
import { planHash } from "./plan-hash.ts";
import { type JudgedFinding, judge, type Unapproved, unapproved, withoutNewTables } from "./policy.ts";
import { beyond } from "./target.ts";

/** A revision that the database lacks, or has beyond its target. */
export interface PendingRevision extends LockedRevision {
  /** From 1, in the whole chain. */
  readonly position: number;
  /** Those that matter to this database: what concerns only tables that are made before, in the same plan, is left out. */
  readonly findings: readonly JudgedFinding[];
}

/** Why an update must not go on that the database's state allows. */
export interface Refusal {
  /** Why revisions must not be undone; empty if they may, or none would be. */
  readonly goingBack: readonly string[];
  /** Findings that the stack has to approve. */
  readonly unapproved: readonly Unapproved[];
  /** The plan that was pinned is not this one; `found` is `null` if the database could not be asked. */
  readonly moved: { readonly expected: string; readonly found: string | null; readonly because: string } | null;
}

/** What an update would do to the database. */
export interface Plan extends Description {
  readonly state: LiveState;
  readonly head: string;
  /** Revisions of the whole chain. */
  readonly total: number;
  /** Whether the pending revisions would be applied or undone. */
  readonly direction: "upgrade" | "downgrade";
  /** In the order in which they are applied or undone; `null` if the database could not be asked. */
  readonly pending: readonly PendingRevision[] | null;
  /** Identity of what would be done; `null` if nothing is pending, or the database could not be asked. */
  readonly hash: string | null;
  readonly refusal: Refusal | null;
  /** The migrate Job that the update declares; `null` if only a person can decide: it must not go on. */
  readonly job: JobAttempt | null;
}

/** What a plan is made from. */
export interface PlanInputs extends Goal {
  readonly reading: Reading;
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  readonly lock: Lock;
  /** Image that migrates. */
  readonly image: string;
  /** Name of the first attempt at this release's migration. */
  readonly firstJobName: string;
  /**
   * Whether revisions beyond the target may be undone.
   *
   * @default false
   */
  readonly allowDowngrade?: boolean | undefined;
  readonly approvals: readonly Approval[];
  /** Hash of the plan that was reviewed, if the stack pins it. */
  readonly pinnedHash: string | undefined;
  /** Where the instructions' commands look. */
  readonly target: { readonly context: string; readonly namespace: string };
}

/** @throws {Error} If the lock has not exactly one head. */
export function makePlan(inputs: PlanInputs): Plan {
  const { reading, jobs, lock, image, firstJobName, approvals, target, targetRevision } = inputs;
  const state = classify(reading, lock, inputs);
  const work = workOf(state, inputs);
  const hash = work.from === null || !work.revisions?.length ? null : planHash(image, work.from, work.revisions);
  const refusal = needsPerson(state) ? null : refuse(inputs, work, hash);
  return {
    ...describeState(state, lock, target, inputs),
    state,
    head: targetRevision ?? head(lock),
    total: lock.revisions.length,
    direction: work.direction,
    pending: work.seen && numbered(lock, work.seen, approvals),
    hash,
    refusal,
    job: needsPerson(state) || refusal !== null ? null : jobAttempt(firstJobName, jobs, state),
  };
}

/** What there is to do. */
interface Work {
  readonly direction: Plan["direction"];
  /** Rows of `alembic_version` that it begins at; `null` where there is none, or nobody knows. */
  readonly from: readonly string[] | null;
  /** `null` if nobody knows. */
  readonly revisions: readonly LockedRevision[] | null;
  /** `revisions` without what concerns only new tables. */
  readonly seen: readonly LockedRevision[] | null;
}

function workOf(state: LiveState, { lock, targetRevision }: PlanInputs): Work {
  const upgrade = (from: readonly string[]): Work => {
    const revisions = pending(lock, from, targetRevision === undefined ? lock.heads : [targetRevision]);
    return { direction: "upgrade", from, revisions, seen: withoutNewTables(revisions) };
  };
  switch (state.kind) {
    case "not-deployed":
    case "never-applied":
      return upgrade([]);
    case "behind":
      return upgrade(state.revisions);
    case "beyond-target": {
      const revisions = beyond(lock, state.revisions, state.target);
      return { direction: "downgrade", from: state.revisions, revisions, seen: revisions };
    }
    case "at-head":
    case "ahead":
      return { direction: "upgrade", from: null, revisions: [], seen: [] };
    default:
      return { direction: "upgrade", from: null, revisions: null, seen: null };
  }
}

function refuse(inputs: PlanInputs, work: Work, hash: string | null): Refusal | null {
  const { lock, image, approvals, pinnedHash, allowDowngrade = false } = inputs;
  const { direction, from, revisions, seen } = work;
  const back = direction === "downgrade";
  // Of a database that can't be asked each revision may be pending: the update may mend it, and then migrate it.
  const findings = back ? [] : unapproved(seen ?? lock.revisions, approvals);
  const goingBack = back ? hindrances(seen ?? [], allowDowngrade) : [];
  const isOther = pinnedHash !== undefined && revisions?.length !== 0 && hash !== pinnedHash;
  const moved = isOther
    ? { expected: pinnedHash, found: hash, because: explainMove(pinnedHash, { lock, image, from, pending: revisions }) }
    : null;
  const refused = findings.length > 0 || goingBack.length > 0 || moved !== null;
  return refused ? { goingBack, unapproved: findings, moved } : null;
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

function numbered(
  lock: Lock,
  revisions: readonly LockedRevision[],
  approvals: readonly Approval[],
): readonly PendingRevision[] {
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  return revisions.map((revision) => ({
    ...revision,
    findings: judge(revision, approvals),
    position: positions.get(revision.id) ?? 0,
  }));
}
