import type { types } from "@pulumi/kubernetes";
import { lockDigest } from "../lockfile/lock.ts";
import { migrationJobName } from "../plan/job-identity.ts";
import { type MigratedApp, restorePointsClaim } from "./app.ts";
import { tlsVolumes } from "./database-tls.ts";
import { planAnnotation } from "./names.ts";
import type { PlainPodConfig } from "./pod-config.ts";
import { type OwnPodSpec, withContainerConfig, withPodConfig } from "./pod-merge.ts";
import { restorePointContainer, restorePointSecurityContext, restorePointsVolume } from "./restore-points.ts";
import { type RunnerOptions, runnerContainer, runnerVolume } from "./runner.ts";
import { type RunnerFilesOptions, runnerConfigMapData, runnerConfigMapName } from "./runner-files.ts";
import { type PodSecurityLevel, podDefaults, podSecurityContext, temporary } from "./security.ts";
import { jobPrefix, migrationLabels } from "./tenant.ts";
import { defaultRestorePointTimeoutSeconds, defaultStartTimeoutSeconds } from "./timeouts.ts";

/** Options for a migration. */
export interface MigrationOptions extends Omit<RunnerOptions, "configMapName">, RunnerFilesOptions {
  /**
   * Whether revisions above {@link RunnerFilesOptions.targetRevision} may be downgraded.
   *
   * @defaultValue false
   */
  readonly allowDowngrade?: boolean | undefined;
  /**
   * PostgreSQL image that dumps the database before the migration.
   *
   * @defaultValue no dump
   */
  readonly restorePointImage?: string | undefined;
  /**
   * Objects whose differences from the rehearsed schema don't count. The Job doesn't depend on them.
   *
   * @defaultValue none
   */
  readonly driftIgnore?: readonly string[] | undefined;
  /**
   * Tenant whose database is migrated, if the namespace has several: part of the Job's name and labels.
   *
   * @defaultValue the only database
   */
  readonly tenant?: string | undefined;
  /** App that the database belongs to. */
  readonly app: MigratedApp;
  /**
   * Configuration of the Job's pod and of its container. The Job's name depends on it.
   *
   * @defaultValue what the project declares
   */
  readonly pod?: PlainPodConfig | undefined;
  /**
   * Level of the Pod Security Standards that the configuration of the pod must meet.
   *
   * @defaultValue "restricted"
   */
  readonly podSecurityStandard?: PodSecurityLevel | undefined;
}

/** Parts of a migration that may be outputs of its program. The Job's name depends on them. */
export type MigrationInputs = Pick<MigrationOptions, "image" | "secretName" | "pod">;

/** Objects of a migration, for any attempt. */
export interface Migration {
  readonly configMapName: string;
  readonly files: Record<string, string>;
  /**
   * Returns the Job's spec.
   *
   * @param plan - Plan of the Job for the runner, if it has one. It is not part of the Job's name.
   */
  jobSpec(plan?: string): types.input.batch.v1.JobSpec;
  /** Returns the name of the Job for an attempt, counted from 1. */
  jobName(attempt: number): string;
}

/** Options that determine how long a migration may take. */
type DurationOptions = Pick<MigrationOptions, "timeouts" | "restorePointImage">;

/** Returns the time for a restore point, 0 without one. */
function restorePointSeconds({ timeouts, restorePointImage }: DurationOptions): number {
  if (restorePointImage === undefined) return 0;
  return timeouts.restorePointTimeoutSeconds ?? defaultRestorePointTimeoutSeconds;
}

/** Returns the time until a migration Job must have started. */
export function jobStartSeconds({ timeouts }: Pick<DurationOptions, "timeouts">): number {
  return timeouts.startTimeoutSeconds ?? defaultStartTimeoutSeconds;
}

/**
 * Returns the deadline of a migration Job, which Kubernetes counts from the Job's creation. The start and a restore point
 * have time of their own, so that they take none of the migration's.
 */
export function jobDeadlineSeconds(options: DurationOptions): number {
  return jobStartSeconds(options) + restorePointSeconds(options) + options.timeouts.deadlineSeconds;
}

/** Returns the time to wait for a migration Job. */
export function jobWaitSeconds(options: DurationOptions): number {
  return jobStartSeconds(options) + restorePointSeconds(options) + options.timeouts.awaitTimeoutSeconds;
}

/**
 * Returns the spec of the migration Job: one pod that Kubernetes never restarts, because the runner retries what is worth
 * retrying. It always has a deadline. It has no `ttlSecondsAfterFinished`: the next update would run a deleted Job again.
 *
 * @param plan - Plan of the Job. It is an annotation, so that all else depends on the work alone.
 */
export function migrateJobSpec(
  options: RunnerOptions &
    Pick<MigrationOptions, "targetRevision" | "allowDowngrade" | "restorePointImage" | "tenant" | "app" | "pod">,
  plan?: string,
): types.input.batch.v1.JobSpec {
  const { targetRevision, allowDowngrade = false, restorePointImage, app, pod = {} } = options;
  const mode = targetRevision !== undefined && allowDowngrade ? "reach" : "upgrade";
  const volumes = [runnerVolume(options.configMapName)];
  if (restorePointImage !== undefined) volumes.push(restorePointsVolume(restorePointsClaim(app)));
  volumes.push(...tlsVolumes(options.tls), temporary.volume);
  const userId = pod.userId ?? app.userId;
  const podSpec: OwnPodSpec = {
    ...podDefaults(app.accounts.migrations),
    restartPolicy: "Never",
    securityContext: podSecurityContext(userId),
    containers: [withContainerConfig(runnerContainer(mode, options, targetRevision), pod)],
    volumes,
  };
  if (restorePointImage !== undefined) {
    const restorePoint = { ...options, image: restorePointImage, timeoutSeconds: restorePointSeconds(options) };
    podSpec.securityContext = restorePointSecurityContext(userId);
    podSpec.initContainers = [restorePointContainer({ verb: "take" }, restorePoint)];
  }
  const metadata: types.input.meta.v1.ObjectMeta = {
    labels: { ...pod.labels, ...migrationLabels(app, options.tenant) },
  };
  if (pod.annotations !== undefined) metadata.annotations = { ...pod.annotations };
  if (plan !== undefined) metadata.annotations = { ...pod.annotations, [planAnnotation]: plan };
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: jobDeadlineSeconds(options),
    template: { metadata, spec: withPodConfig(podSpec, pod) },
  };
}

/** Returns the objects of a migration. */
export function migration(options: MigrationOptions): Migration {
  const files = runnerConfigMapData(options);
  const configMapName = runnerConfigMapName(files, options.app.migrateJob);
  return { configMapName, files, ...migrationJob(options, configMapName, lockDigest(options.lock)) };
}

/**
 * Returns the Job of a migration.
 *
 * @param configMapName - ConfigMap with the runner and the chain.
 * @param chainDigest - Digest of the lockfile.
 */
export function migrationJob(
  options: Omit<MigrationOptions, keyof RunnerFilesOptions> & Pick<MigrationOptions, "targetRevision">,
  configMapName: string,
  chainDigest: string,
): Pick<Migration, "jobSpec" | "jobName"> {
  const { tenant, app } = options;
  const jobSpec = (plan?: string) => migrateJobSpec({ ...options, configMapName }, plan);
  const prefix = jobPrefix(app, tenant);
  return { jobSpec, jobName: (attempt) => migrationJobName(prefix, chainDigest, jobSpec(), attempt) };
}
