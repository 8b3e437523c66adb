import type { types } from "@pulumi/kubernetes";
import { lockDigest } from "../lockfile/lock.ts";
import { migrationJobName } from "../plan/job-identity.ts";
import { type App, unity } from "./app.ts";
import { tlsVolumes } from "./database-tls.ts";
import { restorePointContainer, restorePointsVolume } from "./restore-points.ts";
import {
  type RunnerFilesOptions,
  type RunnerOptions,
  runnerConfigMapData,
  runnerConfigMapName,
  runnerContainer,
  runnerVolume,
} from "./runner.ts";
import { podDefaults, podSecurityContext, temporary } from "./security.ts";
import { jobPrefix, migrationLabels } from "./tenant.ts";

/**
 * Spec of the migrate Job. One pod, never restarted by Kubernetes: retries are the runner's, which knows what is worth
 * one. It has no `ttlSecondsAfterFinished` (a vanished Job would be migrated again) and always a deadline.
 */
export function migrateJobSpec(
  options: RunnerOptions &
    Pick<MigrationOptions, "targetRevision" | "allowDowngrade" | "restorePointImage" | "tenant" | "app">,
): types.input.batch.v1.JobSpec {
  const { configMapName, targetRevision, allowDowngrade = false, restorePointImage: image, app = unity } = options;
  const mode = targetRevision !== undefined && allowDowngrade ? "reach" : "upgrade";
  const initContainers = image === undefined ? [] : [restorePointContainer({ verb: "take" }, { ...options, image })];
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: options.timeouts.deadlineSeconds,
    template: {
      metadata: { labels: migrationLabels(app, options.tenant) },
      spec: {
        ...podDefaults(app.accounts.migrations),
        restartPolicy: "Never",
        securityContext: podSecurityContext(app.userId),
        ...(initContainers.length > 0 && { initContainers }),
        containers: [runnerContainer(mode, options, targetRevision)],
        volumes: [
          runnerVolume(configMapName),
          ...(initContainers.length > 0 ? [restorePointsVolume] : []),
          ...tlsVolumes(options.tls),
          temporary.volume,
        ],
      },
    },
  };
}

/** What a migration is made of. */
export interface MigrationOptions extends Omit<RunnerOptions, "configMapName">, RunnerFilesOptions {
  /**
   * Whether revisions beyond {@link RunnerFilesOptions.targetRevision} may be undone.
   *
   * @defaultValue false
   */
  readonly allowDowngrade?: boolean;
  /**
   * PostgreSQL image that takes a restore point before anything is migrated.
   *
   * @defaultValue none is taken
   */
  readonly restorePointImage?: string | undefined;
  /**
   * Which of several databases in one namespace is migrated: part of the Job's name and labels.
   *
   * @defaultValue the only one
   */
  readonly tenant?: string | undefined;
  /**
   * The app whose database it is.
   *
   * @defaultValue Unity
   */
  readonly app?: App | undefined;
}

/** A migration's objects, but for the attempt in the Job's name. */
export interface Migration {
  readonly configMapName: string;
  readonly files: Record<string, string>;
  readonly jobSpec: types.input.batch.v1.JobSpec;
  /** The Job's name for an attempt, from 1. */
  jobName(attempt: number): string;
}

/** @returns What a migration declares, and what its Job is called. */
export function migration(options: MigrationOptions): Migration {
  const files = runnerConfigMapData(options);
  const configMapName = runnerConfigMapName(files, options.app?.migrateJob);
  return { configMapName, files, ...migrationJob(options, configMapName, lockDigest(options.lock)) };
}

/**
 * @param configMapName The ConfigMap with the runner and the chain.
 * @param chainDigest Of the lock.
 * @returns The Job of a migration, and what it is called.
 */
export function migrationJob(
  options: Omit<MigrationOptions, keyof RunnerFilesOptions> & Pick<MigrationOptions, "targetRevision">,
  configMapName: string,
  chainDigest: string,
): Pick<Migration, "jobSpec" | "jobName"> {
  const { tenant, app = unity } = options;
  const jobSpec = migrateJobSpec({ ...options, configMapName });
  const prefix = jobPrefix(app, tenant);
  return { jobSpec, jobName: (attempt) => migrationJobName(prefix, chainDigest, jobSpec, attempt) };
}
