import type { CommandTarget } from "../kubectl-command.ts";
import type { Lock } from "../lockfile/lock.ts";
import type { MeasuredTimes } from "../lockfile/measured-times.ts";
import { type MigrationInputs, type MigrationOptions, migration } from "../manifests/migrate-job.ts";
import type { Approval } from "../plan/approvals.ts";
import type { DriftReport } from "../plan/drift.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import { classify, type Reading, type TargetOptions } from "../plan/live-state.ts";
import type { ReleasePod } from "../plan/older-releases.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import { programRemedies } from "../plan/remedies.ts";

/** Options of a migration, without its inputs. */
type OwnOptions = Omit<MigrationOptions, keyof MigrationInputs>;

/** State of an app in the cluster. */
export interface AppState {
  readonly reading: Reading;
  readonly jobs: readonly LiveJob[];
  readonly pods: readonly ReleasePod[];
  /** @defaultValue not known */
  readonly drift?: DriftReport | null;
}

/** Migration of an app. */
interface AppMigration extends AppState {
  readonly options: OwnOptions;
  /** `undefined` if one of them is not known. */
  readonly inputs: MigrationInputs | undefined;
  readonly approvals: readonly Approval[];
  readonly pinnedHash?: string | undefined;
  readonly pinRequired?: boolean;
  readonly target: CommandTarget;
  readonly times?: MeasuredTimes | undefined;
}

/**
 * Plans the migration of an app.
 *
 * @returns The plan, and the options with the revisions that this release tolerates.
 */
export function planApp(given: AppMigration): { readonly options: OwnOptions; readonly report: Plan } {
  const { reading, jobs, pods, drift, inputs, approvals, pinnedHash, pinRequired = false, target, times } = given;
  const options = { ...given.options, toleratedRevisions: toleratedBy(reading, given.options.lock, given.options) };
  const report = makePlan({
    reading,
    jobs,
    pods,
    drift,
    ...options,
    times,
    image: inputs?.image,
    firstJobName: inputs && migration({ ...options, ...inputs }).jobName(1),
    approvals,
    pinnedHash,
    pinRequired,
    target,
    remedies: programRemedies,
  });
  return { options, report };
}

/** Returns the revisions that the options tolerate, and those on which this release works according to the run record. */
function toleratedBy(reading: Reading, lock: Lock, target: TargetOptions): readonly string[] {
  const { toleratedRevisions = [] } = target;
  const state = classify(reading, lock, target);
  return state.kind === "ahead" ? [...new Set([...toleratedRevisions, ...state.revisions])] : toleratedRevisions;
}
