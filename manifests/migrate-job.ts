import type { types } from "@pulumi/kubernetes";
import { labels, names } from "./names.ts";
import { type RunnerOptions, runnerContainer, runnerVolume } from "./runner.ts";
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
