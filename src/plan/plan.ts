import { type Adoption, noAdoption } from "../adoption/adoption.ts";
import { head, type Lock } from "../lockfile/lock.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "./job-identity.ts";
import {
  classify,
  type Description,
  describeState,
  type LiveState,
  type Reading,
  requiresManualAction,
  type TargetOptions,
} from "./live-state.ts";
import { planHash } from "./plan-hash.ts";
import type { EvaluatedRevision } from "./policy.ts";
import { type PlanRejection, type RejectionInputs, rejectPlan } from "./refusal.ts";
import { type Work, workOf } from "./work.ts";

/**
 * A revision that the database lacks, or has beyond its target, with what matters to this database: what concerns only
 * tables that are made before, in the same plan, is not among its findings and locks.
 */
export interface PendingRevision extends EvaluatedRevision {
  /** From 1, in the whole chain. */
  readonly position: number;
}

/** What an update would do to the database. */
export interface Plan extends Description, Pick<Work, "direction"> {
  readonly state: LiveState;
  /** Where the database is to be. */
  readonly head: string;
  /** Revisions of the whole chain. */
  readonly total: number;
  /** In the order in which they are applied or undone; `null` if the database could not be asked. */
  readonly pending: readonly PendingRevision[] | null;
  /** Identity of what would be done; `null` if nothing is pending, or the database could not be asked. */
  readonly hash: string | null;
  readonly rejection: PlanRejection | null;
  /** What was set up by hand and becomes the stack's. */
  readonly adoption: Adoption;
  /** The migrate Job that the update declares; `null` if only a person can decide: it must not go on. */
  readonly job: JobAttempt | null;
}

/** What a plan is made from. */
export interface PlanInputs extends TargetOptions, RejectionInputs {
  readonly reading: Reading;
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** @default nothing was set up by hand */
  readonly adoption?: Adoption;
  /** Name of the first attempt at this release's migration. */
  readonly firstJobName: string;
  /** Where the instructions' commands look. */
  readonly target: { readonly context: string; readonly namespace: string };
}

/** @throws {Error} If the lock has not exactly one head. */
export function makePlan(inputs: PlanInputs): Plan {
  const { reading, jobs, lock, image, firstJobName, target, targetRevision, adoption = noAdoption } = inputs;
  const state = classify(reading, lock, inputs);
  const work = workOf(state, inputs);
  const hash = work.from === null || !work.revisions?.length ? null : planHash(image, work.from, work.revisions);
  const rejection = requiresManualAction(state) ? null : rejectPlan(inputs, work, hash);
  const isRefused = requiresManualAction(state) || rejection !== null || adoption.rejected.length > 0;
  return {
    ...describeState(state, lock, target, inputs),
    state,
    head: targetRevision ?? head(lock),
    total: lock.revisions.length,
    direction: work.direction,
    pending: work.seen && numbered(lock, work.seen),
    hash,
    rejection,
    adoption,
    job: isRefused ? null : jobAttempt(firstJobName, jobs, state),
  };
}

function numbered(lock: Lock, revisions: readonly EvaluatedRevision[]): readonly PendingRevision[] {
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  return revisions.map((revision) => ({ ...revision, position: positions.get(revision.id) ?? 0 }));
}
