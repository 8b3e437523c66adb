import type { CommandTarget } from "../kubectl-command.ts";
import { head, type Lock, type LockedSql } from "../lockfile/lock.ts";
import type { MeasuredTimes } from "../lockfile/measured-times.ts";
import { exceededTimeouts, type PredictedStatement, predictTimes, type TimeLimits } from "./blocking-time.ts";
import type { DriftReport } from "./drift.ts";
import type { EvaluatedRevision } from "./findings.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "./job-identity.ts";
import { jobPlan } from "./job-plan.ts";
import { classify, type LiveState, type Reading, requiresManualAction, type TargetOptions } from "./live-state.ts";
import { type ReleasePod, type WaitingRevision, waitingRevision } from "./older-releases.ts";
import { type PlanRejection, type RejectionInputs, rejectPlan } from "./rejection.ts";
import { stackRemedies } from "./remedies.ts";
import type { RunningRelease } from "./running-release.ts";
import { type Description, describeState } from "./state-report.ts";
import { type Work, workOf } from "./work.ts";

/**
 * A revision to apply or to downgrade. Its findings and locks omit those that concern only tables created earlier in the
 * same plan.
 */
export interface PendingRevision extends EvaluatedRevision {
  /** Position in the whole chain, from 1. */
  readonly position: number;
  /** Expected times of the upgrade's statements on the live rows; absent if they were not measured. */
  readonly times?: readonly PredictedStatement[];
}

/** The changes that an update makes to the database. */
export interface Plan extends Description, Pick<Work, "direction"> {
  readonly state: LiveState;
  /** The revision after the update. */
  readonly head: string;
  /** Number of revisions in the whole chain. */
  readonly total: number;
  /** Revisions in the order of their upgrades or downgrades; `null` if the database revision is unknown. */
  readonly pending: readonly PendingRevision[] | null;
  /** Whether the release that runs keeps working; `null` for a downgrade, and if none runs, or nothing is pending. */
  readonly runningRelease: RunningRelease | null;
  /** The pending revision that waits until pods of older releases are gone; `null` if none does. */
  readonly waiting: WaitingRevision | null;
  /** Timeouts that the migration exceeds, or may exceed, by the expected times. */
  readonly exceeded: readonly string[];
  /** SQL that env.py itself executes. */
  readonly env: LockedSql;
  /** Identity of the plan; `null` if nothing is pending, or the database revision is unknown. */
  readonly hash: string | null;
  /** Why the stack's settings don't allow the plan; `null` if they do. */
  readonly rejection: PlanRejection | null;
  /**
   * Differences of the live schema from the rehearsed one; `null` if the database was not read, or has no revision, or the chain was
   * never rehearsed.
   */
  readonly drift: DriftReport | null;
  /** The migration Job that the update declares; `null` if the update must not go on. */
  readonly job: JobAttempt | null;
}

/** The inputs of a plan. */
export interface PlanInputs extends TargetOptions, RejectionInputs {
  readonly reading: Reading;
  /** @defaultValue not known */
  readonly drift?: DriftReport | null;
  /** Migration Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** Pods of the app. */
  readonly pods: readonly ReleasePod[];
  /** @defaultValue no times are expected */
  readonly times?: MeasuredTimes | undefined;
  /** @defaultValue timeouts are not checked */
  readonly timeouts?: TimeLimits | undefined;
  /** Name of the first attempt of this release's migration; `undefined` in the preview of a program that builds its image. */
  readonly firstJobName: string | undefined;
  /** The cluster that the commands of the remediation query. */
  readonly target: CommandTarget;
}

/**
 * Computes the plan of an update.
 *
 * @throws {Error} If the lockfile doesn't have exactly one head.
 */
export function makePlan(inputs: PlanInputs): Plan {
  const { reading, jobs, pods, lock, firstJobName, target, targetRevision, remedies = stackRemedies } = inputs;
  const state = classify(reading, lock, inputs);
  const work = workOf(state, inputs);
  const planOfJob = jobPlan(reading, work, inputs);
  const hash = work.revisions?.length ? planOfJob.hash : null;
  const times = expectedTimes(inputs, work);
  const isManual = requiresManualAction(state);
  const rejection = isManual ? null : rejectPlan(inputs, work, hash);
  return {
    ...describeState(state, lock, target, inputs, remedies),
    state,
    head: targetRevision ?? head(lock),
    total: lock.revisions.length,
    direction: work.direction,
    runningRelease: work.release,
    waiting: work.direction === "upgrade" ? waitingRevision(lock, work.revisions ?? [], pods) : null,
    exceeded: inputs.timeouts === undefined ? [] : exceededTimeouts(times, inputs.timeouts),
    env: lock.env,
    pending: work.seen && numbered(lock, work.seen, times),
    hash,
    rejection,
    drift: inputs.drift ?? null,
    job: isManual || rejection !== null ? null : jobOf(firstJobName, jobs, state, JSON.stringify(planOfJob)),
  };
}

/** Returns the Job of a plan; without its name, it can only be a new one. */
function jobOf(firstName: string | undefined, jobs: readonly LiveJob[], state: LiveState, plan: string): JobAttempt {
  if (firstName !== undefined) return jobAttempt(firstName, jobs, state, plan);
  return { name: "<known during the update>", attempt: 1, action: "run", reason: "its image is not known yet", plan };
}

/** Returns the expected times of the revisions to apply. */
function expectedTimes({ times, reading }: PlanInputs, { direction, seen }: Work) {
  const sizes = reading.kind === "rows" && direction === "upgrade" ? reading.sizes : undefined;
  return predictTimes(sizes && times, seen ?? [], sizes ?? {});
}

function numbered(
  lock: Lock,
  revisions: readonly EvaluatedRevision[],
  times: ReadonlyMap<string, readonly PredictedStatement[]>,
): readonly PendingRevision[] {
  const positions = new Map(lock.revisions.map(({ id }, index) => [id, index + 1]));
  return revisions.map((revision) => {
    const found = times.get(revision.id);
    return { ...revision, position: positions.get(revision.id) ?? 0, ...(found && { times: found }) };
  });
}
