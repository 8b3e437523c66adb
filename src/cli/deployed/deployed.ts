import type { Adoption } from "../../adoption/adoption.ts";
import type { CheckTarget } from "../../checks/result.ts";
import type { ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import type { DatabaseStatistics } from "../../cluster/table-statistics.ts";
import type { Lock } from "../../lockfile/lock.ts";
import type { MigratedApp } from "../../manifests/app.ts";
import type { RestoreJobOptions } from "../../manifests/restore-points.ts";
import type { Timeouts } from "../../manifests/timeouts.ts";
import type { Approval } from "../../plan/approvals.ts";
import type { DriftOptions } from "../../plan/drift.ts";
import type { LiveJob } from "../../plan/job-identity.ts";
import type { Reading, TargetOptions } from "../../plan/live-state.ts";
import type { ReleasePod } from "../../plan/older-releases.ts";
import type { Remedies } from "../../plan/remedies.ts";
import type { RunRecord } from "../../plan/run-record.ts";
import type { UpdatePlan } from "../../preflight/update-plan.ts";

/** State of a deployment in the cluster. */
export interface DeployedState {
  readonly reading: Reading;
  readonly jobs: readonly LiveJob[];
  readonly pods: readonly ReleasePod[];
  readonly adoption: Adoption;
}

/** A plan, and the approvals that its findings were evaluated with. */
export interface ReportedPlan extends UpdatePlan {
  readonly approvals: readonly Approval[];
}

/** Deployment that commands operate on, wherever they read what they need of it. */
export interface Deployed {
  readonly target: ClusterTarget;
  readonly kubectl: Kubectl;
  readonly app: MigratedApp;
  /** Chain of the release. */
  readonly lock: Lock;
  readonly targetOptions: TargetOptions;
  readonly remedies: Remedies;
  readonly timeouts: Timeouts;
  /** Rules for what doesn't count as drift. */
  readonly driftOptions: DriftOptions;
  /** Image of the release, if it is known. */
  readonly image: string | undefined;
  /** Arguments of `kubectl logs` that select the app's pods. */
  readonly logArgs: readonly string[];
  /** Reads the state. It never throws: the reading may be the cause of a failure. */
  readState(): Promise<DeployedState>;
  /** Plans an update from a state. */
  plan(state: DeployedState): Promise<ReportedPlan>;
  /** Reads the newest runs, oldest first. */
  readRuns(): Promise<readonly RunRecord[]>;
  /** Reads the sizes and statistics of the database's tables, without their values. */
  readStatistics(): Promise<DatabaseStatistics>;
  /**
   * Returns what the checks verify.
   *
   * @throws {CommandError} If the deployment has no checks.
   */
  checkTarget(): CheckTarget;
  /** Returns the options of a restore; `undefined` if restore points are disabled. */
  restoreOptions(): Promise<RestoreJobOptions | undefined>;
}
