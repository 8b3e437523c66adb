import { dirname, join } from "node:path";
import { noAdoption } from "../../adoption/adoption.ts";
import { type CheckTarget, describeErrors } from "../../checks/result.ts";
import { verificationErrors } from "../../checks/verification-errors.ts";
import type { QueryOptions } from "../../cluster/database-query.ts";
import { readDeployedApp } from "../../cluster/deployed-apps.ts";
import { Kubectl } from "../../cluster/kubectl.ts";
import { listMigrateJobs } from "../../cluster/list-migrate-jobs.ts";
import { findSources, readMigration } from "../../cluster/live-migration.ts";
import type { LiveChain } from "../../cluster/live-state.ts";
import { readRuns } from "../../cluster/run-records.ts";
import { readStatistics } from "../../cluster/table-statistics.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readTimes } from "../../lockfile/measured-times.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import type { DescribedApp } from "../../manifests/descriptor.ts";
import { appLabel } from "../../manifests/names.ts";
import { readRunnerFiles } from "../../manifests/runner-files.ts";
import { defaultRestorePointTimeoutSeconds } from "../../manifests/timeouts.ts";
import { lockFileName } from "../../paths.ts";
import { approvedIrreversible } from "../../plan/approvals.ts";
import type { DriftOptions } from "../../plan/drift.ts";
import { programRemedies } from "../../plan/remedies.ts";
import { messageOf } from "../../printable.ts";
import { CommandError } from "../result.ts";
import type { Deployed, DeployedState } from "./deployed.ts";
import type { DeployedOptions } from "./options.ts";

/** An app that a program has deployed, as its descriptors say. */
export interface DeployedApp extends Deployed {
  readonly described: DescribedApp;
}

/**
 * Finds an app in the cluster.
 *
 * @throws {CommandError} If no namespace is given, or the app isn't found.
 */
export async function openApp(options: DeployedOptions, report: (line: string) => void): Promise<DeployedApp> {
  const { context, namespace } = options;
  if (namespace === undefined) throw new CommandError("no namespace\nPass --namespace <name>.");
  const target = { context, namespace };
  const kubectl = new Kubectl(target, { report });
  const described = await readDeployedApp(kubectl, target, options.app).catch((error: unknown) => {
    throw new CommandError(messageOf(error));
  });
  const { migration, inputs, workloads } = described;
  const { app } = migration.options;
  const isOther = options.backend !== undefined;
  const otherFile = isOther ? join(options.backend, lockFileName) : undefined;
  const lock = otherFile === undefined ? requireLock(described) : readLock(otherFile);
  const times = otherFile === undefined ? undefined : readTimes(otherFile);
  const driftOptions = driftRules(described, options.backend);
  const sourceOf = async (): Promise<QueryOptions> => {
    const [source] = await findSources(kubectl, app, workloads);
    if (source === undefined) throw new Error(`no pod of ${app.partOf} is running`);
    return { owned: false, ...source };
  };
  return {
    described,
    target,
    kubectl,
    app,
    lock,
    targetOptions: migration.options,
    remedies: programRemedies,
    timeouts: migration.options.timeouts,
    image: inputs.image,
    logArgs: [`--selector=${appLabel}=${app.partOf}`],
    driftOptions,
    readState: () => readState(kubectl, described, { ...lock, times }),
    async plan({ reading, jobs, pods, adoption }) {
      const [{ readDrift }, { planApp }, { combinePlans }] = await Promise.all([
        import("../../plan/drift.ts"),
        import("../../preflight/app-plan.ts"),
        import("../../preflight/update-plan.ts"),
      ]);
      const { approvals } = migration;
      const all = { ...migration.options, lock, runnerFiles: readRunnerFiles() };
      // Another lockfile comes with an image that is not known yet.
      const drift = await readDrift(reading, lock, driftOptions);
      const { report } = planApp({
        reading,
        jobs,
        pods,
        times,
        drift,
        options: all,
        inputs: isOther ? undefined : inputs,
        approvals,
        target,
      });
      return { ...combinePlans(report, adoption), approvals };
    },
    readRuns: async () => readRuns(kubectl, await sourceOf()),
    readStatistics: async () => readStatistics(kubectl, lock, await sourceOf()),
    checkTarget: () => ({ ...checksOf(described), ...target }),
    async restoreOptions() {
      const { restorePointImage: image, imagePullPolicy, tls, timeouts } = migration.options;
      if (image === undefined) return undefined;
      const { restorePointTimeoutSeconds: timeoutSeconds = defaultRestorePointTimeoutSeconds } = timeouts;
      return { app, image, imagePullPolicy, secretName: inputs.secretName, tls, timeoutSeconds, pod: inputs.pod };
    },
  };
}

/** Returns what doesn't count as drift. */
function driftRules({ migration }: DescribedApp, folder = dirname(migration.lockFile)): DriftOptions {
  const { applicationRole, driftIgnore } = migration.options;
  return { applicationRole: applicationRole?.name, appFolder: folder, driftIgnore };
}

/** @throws {CommandError} If the app's program verifies nothing. */
function checksOf(described: DescribedApp): Omit<CheckTarget, "namespace"> {
  const { migration, verification, workloads, release } = described;
  const { head, owned, approvals, lockFile, options } = migration;
  if (verification === undefined) {
    const app = options.app.partOf;
    throw new CommandError(`app ${app} has no checks: its program has not declared a PostDeployVerification`);
  }
  const { checks } = verification;
  const errors = verificationErrors({ workloads, checks });
  if (errors.length > 0) throw new CommandError(describeErrors(errors));
  return {
    head,
    owned,
    lockFile,
    toleratedRevisions: options.toleratedRevisions ?? [],
    irreversible: approvedIrreversible(approvals),
    applicationRole: options.applicationRole?.name,
    driftIgnore: options.driftIgnore,
    recentSeconds: verification.recentSeconds,
    workloads,
    checks: checks as CheckTarget["checks"],
    release: release as CheckTarget["release"],
  };
}

/** @throws {CommandError} If the app's lockfile was too large for its descriptor. */
function requireLock({ lock, migration }: DescribedApp): Lock {
  if (lock !== undefined) return lock;
  throw new CommandError(`the lockfile of app ${migration.options.app.partOf} is too large to be kept in the cluster`);
}

async function readState(kubectl: Kubectl, described: DescribedApp, lock: LiveChain): Promise<DeployedState> {
  const { app } = described.migration.options;
  const [{ reading, pods }, jobs] = await Promise.all([
    readMigration(kubectl, app, lock, described.workloads),
    listMigrateJobs(kubectl, app, "only").catch((error: Error) => error),
  ]);
  if (jobs instanceof Error)
    return {
      reading: { kind: "unreachable", what: "cluster", cause: jobs.message },
      jobs: [],
      pods: [],
      adoption: noAdoption,
    };
  const live = jobs.map(({ name, state, created, plan }) => ({ name, state, created, plan }));
  return { reading, jobs: live, pods, adoption: noAdoption };
}
