import { setTimeout as delay } from "node:timers/promises";
import { lastJobAnnotation, migratedAnnotation, names, serviceAccounts } from "../../manifests/names.ts";
import { restorePointContainerName } from "../../manifests/restore-points.ts";
import { runnerNames } from "../../manifests/runner.ts";
import { type Cause, logArgs, podCauses, rejectedPod } from "../causes.ts";
import { settled } from "../database-query.ts";
import { type Kubectl, redact } from "../kubectl.ts";
import { type ContainerStatus, isSidecar, type Job, type Pod } from "../objects.ts";
import { workloadSelector } from "../pods.ts";
import type { PollResult } from "./poll-result.ts";
import type { Waiter, WaitTarget } from "./wait.ts";

/** Job or pod, as `kubectl get jobs,pods` lists them. */
export type JobItem = Job | Pod;

/** Polls for the end of a canceled Job. */
const cancelPolls = { count: 20, milliseconds: 250 } as const;

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

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
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

/** How far a Job was. Once its migration has started, the runner has to finish what it began. */
export type Stage = "never started" | "restore point" | "migration";

/** Returns how far a migration Job has come. Pods that have succeeded may be gone already. */
export function stageOf(pods: readonly Pod[], job?: Job): Stage {
  const { succeeded = 0, uncountedTerminatedPods, conditions = [] } = job?.status ?? {};
  const counted = succeeded > 0 || (uncountedTerminatedPods?.succeeded?.length ?? 0) > 0;
  if (counted || conditions.some(({ type }) => type === "SuccessCriteriaMet")) return "migration";
  const hasStarted = (status?: ContainerStatus) =>
    status?.state?.running !== undefined || status?.state?.terminated !== undefined;
  if (pods.some((pod) => hasStarted(statusOf(pod, runnerNames.container)))) return "migration";
  const restorePoints = pods.flatMap(initStatuses).filter(({ name }) => name === restorePointContainerName);
  return restorePoints.some(hasStarted) ? "restore point" : "never started";
}

/**
 * Completes a Job whose runner has succeeded, though other containers keep it active or have failed. The Job's controller ends
 * its pod at the condition SuccessCriteriaMet, and adds Complete
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#termination-of-job-pods). A Job that can't complete, because
 * it has failed or the API server refuses the condition, gets an annotation.
 *
 * @returns The result: not done until the Job completes, if it can.
 */
export async function completeHeldJob(kubectl: Kubectl, name: string, result: PollResult): Promise<PollResult> {
  if (result.held === undefined) return result;
  const { sidecars } = result.held;
  if (sidecars.length > 0 && (await setSuccess(kubectl, name, sidecars))) return { ...result, done: false };
  await kubectl.run(["annotate", "--overwrite", `job/${name}`, `${migratedAnnotation}=true`]);
  return result;
}

/** Sets the condition with which a Job ends its pods and completes; false if the API server refuses it. */
async function setSuccess(kubectl: Kubectl, name: string, sidecars: readonly string[]): Promise<boolean> {
  const now = new Date().toISOString();
  const condition = {
    type: "SuccessCriteriaMet",
    status: "True",
    reason: "RunnerSucceeded",
    message: `Container ${runnerNames.container} succeeded; ${sidecars.join(", ")} would keep running`,
    lastProbeTime: now,
    lastTransitionTime: now,
  };
  const patch = JSON.stringify({ status: { conditions: [condition] } });
  const args = ["patch", `job/${name}`, "--subresource=status", "--type=strategic", `--patch=${patch}`];
  return "value" in (await settled(kubectl.run(args)));
}

/** Waiter for a migrate Job. */
interface JobWaiter extends Waiter {
  /** Returns the migration's log if its pod was ended, and the log with it. */
  log(): string | undefined;
}

/** Returns a waiter for the completion of a migrate Job. */
export function migrateJob(kubectl: Kubectl, target: WaitTarget): JobWaiter {
  const { name, workload = names.migrateJob, timeoutSeconds, startTimeoutSeconds = timeoutSeconds } = target;
  let items: readonly JobItem[] = [];
  let log: string | undefined;
  // The Job's controller deletes the pods of a Job that fails: what kept them from running is known only from before.
  let lastCauses: readonly Cause[] = [];
  const evaluate = async () => {
    ({ items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", workloadSelector(workload)));
    const { job, pods } = jobOf(name, items);
    const warnings = job === undefined || pods.length > 0 ? [] : await warningsOf(kubectl, job);
    const result = evaluateJob(name, items, runnerNames.container, warnings);
    if (result.failed === undefined) lastCauses = result.causes;
    return result.causes.length > 0 ? result : { ...result, causes: lastCauses };
  };
  return {
    title: `Job ${name}`,
    async poll(seconds) {
      const result = await evaluate();
      if (result.held !== undefined && result.held.sidecars.length > 0) {
        const { pod } = result.held;
        const args = logArgs({ pod, container: runnerNames.container, previous: false });
        log = await kubectl.run(args).then(redact, () => undefined);
      }
      const { job, pods } = jobOf(name, items);
      const failed = startFailure(result, stageOf(pods, job), seconds, startTimeoutSeconds);
      return failed ?? completeHeldJob(kubectl, name, result);
    },
    log: () => log,
    kubectlArgs: ["describe", `job/${name}`],
    advice: "The previous release keeps serving. To retry, fix the error and rerun: pulumi up",
    async giveUp() {
      const result = await evaluate();
      const { failed, done } = result;
      if (done) {
        await completeHeldJob(kubectl, name, result);
        return "The migration has succeeded since.";
      }
      const { job, pods } = jobOf(name, items);
      const stage = stageOf(pods, job);
      const hasEnded = pods.some((pod) => statusOf(pod, runnerNames.container)?.state?.terminated !== undefined);
      if (failed !== undefined || (stage === "migration" && !hasEnded)) return undefined;
      // Otherwise it would start once it can, long after the update has failed, or its sidecars would keep running. The next
      // update makes another attempt.
      const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
      await kubectl.run(["patch", `job/${name}`, "--type=merge", `--patch=${patch}`]);
      for (let count = 0; count < cancelPolls.count; count++) {
        if ((await evaluate()).failed !== undefined) break;
        await delay(cancelPolls.milliseconds);
      }
      if (stage === "never started") return "Canceled the Job because it never started.";
      if (stage === "migration") return "Canceled the Job because its other containers would keep running.";
      return "Canceled the Job during its restore point. The database is unchanged.";
    },
  };
}

/**
 * Returns the failure of a Job whose pod did not start in time: the migration's own time would begin much later.
 *
 * @param seconds - Time since the wait began.
 */
export function startFailure(
  result: PollResult,
  stage: Stage,
  seconds: number,
  startTimeoutSeconds: number,
): PollResult | undefined {
  if (result.done || result.failed !== undefined) return undefined;
  if (stage !== "never started" || seconds < startTimeoutSeconds) return undefined;
  return { ...result, failed: `its pod did not start within ${startTimeoutSeconds}s (startTimeoutSeconds)` };
}

/**
 * Records the name of the Job that is waited for, where the next update finds it. Pulumi's state keeps a Job that was
 * deleted in the cluster, so that only another name creates a new one; without the record, the update after that needs
 * `--refresh`. Jobs of other workloads are not recorded: their updates don't read it.
 */
export async function recordLastJob(
  kubectl: Kubectl,
  { name, workload = names.migrateJob }: Pick<WaitTarget, "name" | "workload">,
): Promise<void> {
  if (workload !== names.migrateJob) return;
  const annotation = `${lastJobAnnotation}=${name}`;
  await kubectl
    .run(["annotate", "--overwrite", "serviceaccount", serviceAccounts.migrations, annotation])
    .catch(() => {});
}

/** Returns the messages of a Job's events about pods that could not be created, oldest first. */
export async function warningsOf(kubectl: Kubectl, { metadata }: Job): Promise<readonly string[]> {
  const selector = `--field-selector=involvedObject.uid=${metadata.uid},reason=FailedCreate`;
  const sorted = "--sort-by=.lastTimestamp";
  const { items } = await kubectl.get<{ items: { message?: string }[] }>("events", selector, sorted);
  return items.map(({ message }) => message).filter((message) => message !== undefined);
}
