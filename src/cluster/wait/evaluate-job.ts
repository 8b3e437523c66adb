import { type Cause, commandOf, podCauses, rejectedPod } from "../causes.ts";
import type { Job, Pod } from "../objects.ts";
import type { PollResult } from "./poll-result.ts";

/** Job or pod, as `kubectl get jobs,pods` lists them. */
export type JobItem = Job | Pod;

/** @returns The Job of that name among the items, and its pods. */
export function jobOf(name: string, items: readonly JobItem[]): { job: Job | undefined; pods: readonly Pod[] } {
  const job = items.find((item): item is Job => item.kind === "Job" && item.metadata.name === name);
  const pods = items.filter(
    (item): item is Pod =>
      item.kind === "Pod" && (item.metadata.ownerReferences?.some((owner) => owner.name === name) ?? false),
  );
  return { job, pods };
}

/**
 * Judges a Job.
 *
 * @param warnings Warnings of the Job's own, the newest last: only they say why it has no pod.
 */
export function evaluateJob(name: string, items: readonly JobItem[], warnings: readonly string[]): PollResult {
  const { job, pods } = jobOf(name, items);
  if (job === undefined) return { done: false, progress: "gone", failed: "it was deleted", causes: [] };
  const holds = (...types: string[]) =>
    job.status?.conditions?.find(({ type, status }) => types.includes(type) && status === "True");
  if (holds("Complete") !== undefined) return { done: true, progress: "complete", causes: [] };
  const failed = holds("Failed", "FailureTarget");
  const known = [...pods.flatMap((pod) => podCauses(pod, false)), ...rejected(name, pods, warnings)];
  const causes = known.length > 0 || failed === undefined ? known : pods.flatMap(cutOff);
  return {
    done: false,
    progress: pods.map(({ status }) => `pod ${(status.phase ?? "pending").toLowerCase()}`).join(", ") || "no pod yet",
    ...(failed === undefined ? {} : { failed: `${failed.message} [${failed.reason}]` }),
    causes,
  };
}

/** A pod that was at work when its Job's time was over: only its log says at what. */
function cutOff({ metadata, status }: Pod): readonly Cause[] {
  const running = status.containerStatuses?.find(({ state }) => state?.running !== undefined);
  if (running === undefined) return [];
  const text = `container "${running.name}" of pod ${metadata.name} was still at work`;
  const log = { pod: metadata.name, container: running.name, previous: false };
  return [{ key: "cut off", text, patienceSeconds: Number.POSITIVE_INFINITY, poll: commandOf(log), log }];
}

function rejected(name: string, pods: readonly Pod[], warnings: readonly string[]): readonly Cause[] {
  const message = warnings.at(-1);
  if (pods.length > 0 || message === undefined) return [];
  return [rejectedPod(`Job ${name}`, message, ["describe", `job/${name}`])];
}

/** Whether a container of the Job has ever run: then it is the runner's to end what it began. */
export function hasStarted(pods: readonly Pod[]): boolean {
  return pods.some(({ status }) =>
    status.containerStatuses?.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined),
  );
}
