import type { types } from "@pulumi/kubernetes";
import { migrationJobName } from "../migrations/job-identity.ts";
import { type Lock, lockDigest } from "../migrations/lock.ts";
import { labels, names } from "./names.ts";
import {
  type RunnerOptions,
  runnerConfigMapData,
  runnerConfigMapName,
  runnerContainer,
  runnerVolume,
} from "./runner.ts";
import { podDefaults, podSecurityContext, temporary, userIds } from "./security.ts";

/**
 * Spec of the migrate Job. One pod, never restarted by Kubernetes: retries are the runner's, which knows what is worth
 * one. It has no `ttlSecondsAfterFinished` (a vanished Job would be migrated again) and always a deadline.
 */
export function migrateJobSpec(options: RunnerOptions): types.input.batch.v1.JobSpec {
  return {
    backoffLimit: 0,
    activeDeadlineSeconds: options.budget.deadlineSeconds,
    template: {
      metadata: { labels: labels(names.migrateJob) },
      spec: {
        ...podDefaults,
        restartPolicy: "Never",
        securityContext: podSecurityContext(userIds.backend),
        containers: [runnerContainer("upgrade", options)],
        volumes: [runnerVolume(options.configMapName), temporary.volume],
      },
    },
  };
}

/** What a migration is made of. */
export interface MigrationOptions extends Omit<RunnerOptions, "configMapName"> {
  readonly lock: Lock;
  /** Python sources of the runner, by file name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  /**
   * Revisions that the lock lacks and this release can run on all the same.
   *
   * @default none
   */
  readonly toleratedRevisions?: readonly string[];
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
  const files = runnerConfigMapData(options.lock, options.runnerFiles, options.toleratedRevisions);
  const configMapName = runnerConfigMapName(files);
  const jobSpec = migrateJobSpec({ ...options, configMapName });
  const jobName = (attempt: number) => migrationJobName(names.migrateJob, lockDigest(options.lock), jobSpec, attempt);
  return { configMapName, files, jobSpec, jobName };
}
