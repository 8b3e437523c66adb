import type { Approval } from "./approvals.ts";
import { pending } from "./chain.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "./job-identity.ts";
import { classify, type Description, describeState, type LiveState, needsPerson, type Reading } from "./live-state.ts";
import { head, type Lock, type LockedRevision } from "./lock.ts";
import { explainMove } from "./moved-plan.ts";
import { planHash } from "./plan-hash.ts";
import { type JudgedRevision, judge, type Unapproved, unapproved, withoutNewTables } from "./policy.ts";

/**
 * A revision that the database lacks, with what matters to this database: what concerns only tables that are made before,
 * in the same plan, is not among its findings and locks.
 */
export interface PendingRevision extends JudgedRevision {
  /** From 1, in the whole chain. */
  readonly position: number;
}

/** Why an update must not go on that the database's state allows. */
export interface Refusal {
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
  /** In the order in which they are applied; `null` if the database could not be asked. */
  readonly pending: readonly PendingRevision[] | null;
  /** Identity of what would be done; `null` if nothing is pending, or the database could not be asked. */
  readonly hash: string | null;
  readonly refusal: Refusal | null;
  /** The migrate Job that the update declares; `null` if only a person can decide: it must not go on. */
  readonly job: JobAttempt | null;
}

/** What a plan is made from. */
export interface PlanInputs {
  readonly reading: Reading;
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  readonly lock: Lock;
  /** Backend image, whose revisions are applied. */
  readonly image: string;
  /** Name of the first attempt at this release's migration. */
  readonly firstJobName: string;
  readonly toleratedRevisions: readonly string[];
  readonly approvals: readonly Approval[];
  /** Hash of the plan that was reviewed, if the stack pins it. */
  readonly pinnedHash: string | undefined;
  /** Where the instructions' commands look. */
  readonly target: { readonly context: string; readonly namespace: string };
}

/** @throws {Error} If the lock has not exactly one head. */
export function makePlan(inputs: PlanInputs): Plan {
  const { reading, jobs, lock, image, firstJobName, toleratedRevisions, approvals, target } = inputs;
  const state = classify(reading, lock, toleratedRevisions);
  const from = startOf(state);
  const left = from === null ? leftOver(state) : pending(lock, from);
  const hash = from === null || left === null || left.length === 0 ? null : planHash(image, from, left);
  const seen = left && judge(withoutNewTables(left), approvals);
  const refusal = needsPerson(state) ? null : refuse(inputs, { from, hash, left, seen });
  return {
    ...describeState(state, lock, target),
    state,
    head: head(lock),
    total: lock.revisions.length,
    pending: seen && numbered(lock, seen),
    hash,
    refusal,
    job: needsPerson(state) || refusal !== null ? null : jobAttempt(firstJobName, jobs, state),
  };
}

/** @returns Rows of `alembic_version` that revisions are applied to; `null` where none are, or nobody knows. */
function startOf(state: LiveState): readonly string[] | null {
  switch (state.kind) {
    case "not-deployed":
    case "never-applied":
      return [];
    case "behind":
      return state.revisions;
    default:
      return null;
  }
}

/** @returns No revisions for a database that lacks none; `null` if nobody knows. */
function leftOver({ kind }: LiveState): readonly LockedRevision[] | null {
  return kind === "at-head" || kind === "ahead" ? [] : null;
}

/** What is known of the work. */
interface Work {
  readonly from: readonly string[] | null;
  readonly hash: string | null;
  readonly left: readonly LockedRevision[] | null;
  /** `left` without what concerns only new tables, judged. */
  readonly seen: readonly JudgedRevision[] | null;
}

function refuse({ lock, image, approvals, pinnedHash }: PlanInputs, { from, hash, left, seen }: Work): Refusal | null {
  // Of a database that can't be asked each revision may be pending: the update may mend it, and then migrate it.
  const findings = unapproved(seen ?? judge(lock.revisions, approvals));
  const isOther = pinnedHash !== undefined && left?.length !== 0 && hash !== pinnedHash;
  const moved = isOther
    ? { expected: pinnedHash, found: hash, because: explainMove(pinnedHash, { lock, image, from, pending: left }) }
    : null;
  return findings.length > 0 || moved !== null ? { unapproved: findings, moved } : null;
}

function numbered(lock: Lock, revisions: readonly JudgedRevision[]): readonly PendingRevision[] {
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  return revisions.map((revision) => ({ ...revision, position: positions.get(revision.id) ?? 0 }));
}
