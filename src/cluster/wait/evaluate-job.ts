import { migratedAnnotation } from "../../manifests/names.ts";
import { restorePointContainerName } from "../../manifests/restore-points.ts";
import { runnerNames } from "../../manifests/runner.ts";
import { type Cause, logArgs, podCauses, rejectedPod } from "../causes.ts";
import { type ContainerStatus, isSidecar, type Job, type Pod } from "../objects.ts";
import type { PollResult } from "./poll-result.ts";

/** Job or pod, as `kubectl get jobs,pods` lists them. */
export type JobItem = Job | Pod;

/** Returns the Job with a name among the items, and its pods. */
export function jobOf(name: string, items: readonly JobItem[]): { job: Job | undefined; pods: readonly Pod[] } {
  const job = items.find((item): item is Job => item.kind === "Job" && item.metadata.name === name);
  const isOwn = (item: JobItem) => item.metadata.ownerReferences?.some((owner) => owner.name === name) ?? false;
  const pods = items.filter((item): item is Pod => item.kind === "Pod" && isOwn(item));
  return { job, pods };
}

/**
 * Evaluates a Job.
 *
 * @param container - Container that decides on the Job, whatever other containers were added to its pod.
 * @param warnings - Messages about pods that could not be created, oldest first: only they explain why it has no pod.
 */
export function evaluateJob(
  name: string,
  items: readonly JobItem[],
  container: string,
  warnings: readonly string[] = [],
): PollResult {
  const { job, pods } = jobOf(name, items);
  if (job === undefined) return { done: false, progress: "not found", failed: "the Job was deleted", causes: [] };
  const holds = (...types: string[]) =>
    job.status?.conditions?.find(({ type, status }) => types.includes(type) && status === "True");
  if (holds("Complete") !== undefined || job.metadata.annotations?.[migratedAnnotation] === "true")
    return { done: true, progress: "complete", causes: [] };
  const failed = holds("Failed", "FailureTarget");
  const succeeded = pods.find((pod) => statusOf(pod, container)?.state?.terminated?.exitCode === 0);
  const sidecars = succeeded === undefined || failed !== undefined ? [] : runningSidecars(succeeded, container);
  if (succeeded !== undefined && (failed !== undefined || sidecars.length > 0)) {
    const others = failed === undefined ? `${sidecars.join(", ")} running` : "another container failed";
    const result = { progress: `container ${container} succeeded, ${others}`, causes: [] };
    if (holds("SuccessCriteriaMet") !== undefined) return { ...result, done: false };
    return { ...result, done: true, held: { pod: succeeded.metadata.name, sidecars } };
  }
  const progress = pods.map((pod) => podProgress(pod)).join(", ") || "no pod yet";
  const causes = [...pods.flatMap((pod) => podCauses(pod, false, container)), ...rejected(name, pods, warnings)];
  if (failed === undefined) return { done: false, progress, causes };
  const known = causes.length > 0 ? causes : pods.flatMap((pod) => interrupted(pod, container));
  return { done: false, progress, failed: `${failed.message} [${failed.reason}]`, causes: known };
}

/** Returns the status of one of a pod's containers. */
export function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return status.containerStatuses?.find(({ name }) => name === container);
}

/** Returns the names of the containers that run beside a container. */
function runningSidecars({ status }: Pod, container: string): readonly string[] {
  const others = status.containerStatuses?.filter(({ name, state }) => name !== container && state?.running);
  return others?.map(({ name }) => name) ?? [];
}

/** Returns the states of a pod's init containers. A sidecar is none: it starts before them and runs to the end. */
function initStatuses(pod: Pod): readonly ContainerStatus[] {
  return (pod.status.initContainerStatuses ?? []).filter(({ name }) => !isSidecar(pod, name));
}

/** Describes how far a pod is. Kubernetes calls it pending until its init containers have completed. */
function podProgress(pod: Pod): string {
  const init = initStatuses(pod).find(({ state }) => state?.running !== undefined);
  if (init?.name === restorePointContainerName) return "taking the restore point";
  if (init !== undefined) return `init container ${init.name} running`;
  return `pod ${(pod.status.phase ?? "pending").toLowerCase()}`;
}

/** Returns the container that was running at the Job's deadline: only its log shows what it was doing. */
function interrupted(pod: Pod, container: string): readonly Cause[] {
  const { metadata } = pod;
  const decisive = statusOf(pod, container);
  const statuses = decisive === undefined ? initStatuses(pod) : [...initStatuses(pod), decisive];
  const running = statuses.find(({ state }) => state?.running !== undefined);
  if (running === undefined) return [];
  const text = `container "${running.name}" in pod ${metadata.name} was still running`;
  const log = { pod: metadata.name, container: running.name, previous: false };
  return [{ key: "interrupted", text, gracePeriodSeconds: Number.POSITIVE_INFINITY, kubectlArgs: logArgs(log), log }];
}

function rejected(name: string, pods: readonly Pod[], warnings: readonly string[]): readonly Cause[] {
  const message = warnings.at(-1);
  if (pods.length > 0 || message === undefined) return [];
  return [rejectedPod(`Job ${name}`, message, ["describe", `job/${name}`])];
}

/**
 * How far a Job was: at an init container of the pod's configuration, or of this project's. Once its migration has started,
 * the runner has to finish what it began.
 */
export type Stage = "never started" | "init container" | "restore point" | "migration";

/** Returns how far a migration Job has come. Pods that have succeeded may be gone already. */
export function stageOf(pods: readonly Pod[], job?: Job): Stage {
  const { succeeded = 0, uncountedTerminatedPods, conditions = [] } = job?.status ?? {};
  const counted = succeeded > 0 || (uncountedTerminatedPods?.succeeded?.length ?? 0) > 0;
  if (counted || conditions.some(({ type }) => type === "SuccessCriteriaMet")) return "migration";
  const hasStarted = (status?: ContainerStatus) =>
    status?.state?.running !== undefined || status?.state?.terminated !== undefined;
  if (pods.some((pod) => hasStarted(statusOf(pod, runnerNames.container)))) return "migration";
  const started = pods.flatMap(initStatuses).filter(hasStarted);
  if (started.some(({ name }) => name === restorePointContainerName)) return "restore point";
  return started.length > 0 ? "init container" : "never started";
}

/**
 * Returns the failure of a Job whose migration, or the restore point before it, did not start in time: the Job's deadline
 * would leave the migration less than its own time. The time includes init containers of the pod's configuration.
 *
 * @param seconds - Time since the wait began.
 */
export function startFailure(
  name: string,
  items: readonly JobItem[],
  result: PollResult,
  seconds: number,
  startTimeoutSeconds: number,
): PollResult | undefined {
  const { job, pods } = jobOf(name, items);
  const stage = stageOf(pods, job);
  const isStarting = stage === "never started" || stage === "init container";
  if (result.done || result.failed !== undefined || !isStarting || seconds < startTimeoutSeconds) return undefined;
  const failed = `its migration did not start within ${startTimeoutSeconds}s (startTimeoutSeconds)`;
  const [running] = pods.flatMap((pod) => interrupted(pod, runnerNames.container));
  if (running === undefined) return { ...result, failed };
  const reason = `init container ${running.log?.container} was still running`;
  return { ...result, failed: `${failed}, because ${reason}`, causes: [...result.causes, running] };
}
