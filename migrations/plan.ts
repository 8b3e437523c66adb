import { pending } from "./chain.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "./job-identity.ts";
import { classify, type Description, describeState, type LiveState, needsPerson, type Reading } from "./live-state.ts";
import { head, type Lock, type LockedRevision } from "./lock.ts";

/** A revision that the database lacks. */
export interface PendingRevision extends LockedRevision {
  /** From 1, in the whole chain. */
  readonly position: number;
}

/** What an update would do to the database. */
export interface Plan extends Description {
  readonly state: LiveState;
  readonly head: string;
  /** Revisions of the whole chain. */
  readonly total: number;
  /** In the order in which they are applied; `null` if the database could not be asked. */
  readonly pending: readonly PendingRevision[] | null;
  /** The migrate Job that the update declares; `null` if only a person can decide: it must not go on. */
  readonly job: JobAttempt | null;
}

/** What a plan is made from. */
export interface PlanInputs {
  readonly reading: Reading;
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  readonly lock: Lock;
  /** Name of the first attempt at this release's migration. */
  readonly firstJobName: string;
  readonly toleratedRevisions: readonly string[];
  /** Where the instructions' commands look. */
  readonly target: { readonly context: string; readonly namespace: string };
}

/** @throws {Error} If the lock has not exactly one head. */
export function makePlan({ reading, jobs, lock, firstJobName, toleratedRevisions, target }: PlanInputs): Plan {
  const state = classify(reading, lock, { toleratedRevisions });
  return {
    ...describeState(state, lock, target),
    state,
    head: head(lock),
    total: lock.revisions.length,
    pending: pendingRevisions(state, lock),
    job: needsPerson(state) ? null : jobAttempt(firstJobName, jobs, state),
  };
}

function pendingRevisions(state: LiveState, lock: Lock): Plan["pending"] {
  switch (state.kind) {
    case "not-deployed":
    case "never-applied":
      return numbered(lock, []);
    case "behind":
      return numbered(lock, state.revisions);
    case "at-head":
    case "ahead":
      return [];
    default:
      return null;
  }
}

function numbered(lock: Lock, current: readonly string[]): readonly PendingRevision[] {
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  return pending(lock, current).map((revision) => ({ ...revision, position: positions.get(revision.id) ?? 0 }));
}
