import { setTimeout as delay } from "node:timers/promises";
import { lastJobAnnotation, names, serviceAccounts } from "../../manifests/names.ts";
import { restorePointContainerName } from "../../manifests/restore-points.ts";
import { type Cause, logArgs, podCauses, rejectedPod } from "../causes.ts";
import type { Kubectl } from "../kubectl.ts";
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
 * @param warnings - Messages of the Job's Warning events, oldest first: only they explain why it has no pod.
 */
export function evaluateJob(name: string, items: readonly JobItem[], warnings: readonly string[]): PollResult {
  const { job, pods } = jobOf(name, items);
  if (job === undefined) return { done: false, progress: "not found", failed: "the Job was deleted", causes: [] };
  const holds = (...types: string[]) =>
    job.status?.conditions?.find(({ type, status }) => types.includes(type) && status === "True");
  if (holds("Complete") !== undefined) return { done: true, progress: "complete", causes: [] };
  const failed = holds("Failed", "FailureTarget");
  const progress = pods.map(podProgress).join(", ") || "no pod yet";
  const causes = [...pods.flatMap((pod) => podCauses(pod, false)), ...rejected(name, pods, warnings)];
  if (failed === undefined) return { done: false, progress, causes };
  const known = causes.length > 0 ? causes : pods.flatMap(interrupted);
  return { done: false, progress, failed: `${failed.message} [${failed.reason}]`, causes: known };
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
function interrupted(pod: Pod): readonly Cause[] {
  const { metadata, status } = pod;
  const running = [...initStatuses(pod), ...(status.containerStatuses ?? [])].find(
    ({ state }) => state?.running !== undefined,
  );
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
type Stage = "never started" | "restore point" | "migration";

/** Returns how far a Job has come. */
export function stageOf(pods: readonly Pod[]): Stage {
  const haveStarted = (statuses: readonly ContainerStatus[] = []) =>
    statuses.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);
  if (pods.some(({ status }) => haveStarted(status.containerStatuses))) return "migration";
  const restorePoints = pods.flatMap(initStatuses).filter(({ name }) => name === restorePointContainerName);
  return haveStarted(restorePoints) ? "restore point" : "never started";
}

/** Returns a waiter for the completion of a migrate Job. */
export function migrateJob(kubectl: Kubectl, name: string, workload: string = names.migrateJob): Waiter {
  let items: readonly JobItem[] = [];
  const poll = async () => {
    ({ items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", workloadSelector(workload)));
    const { job, pods } = jobOf(name, items);
    const warnings = job === undefined || pods.length > 0 ? [] : await warningsOf(kubectl, job);
    return evaluateJob(name, items, warnings);
  };
  return {
    title: `Job ${name}`,
    poll,
    kubectlArgs: ["describe", `job/${name}`],
    advice: "The previous release keeps serving. To retry, fix the error and rerun: pulumi up",
    async giveUp() {
      const { failed } = await poll();
      const stage = stageOf(jobOf(name, items).pods);
      if (failed !== undefined || stage === "migration") return undefined;
      // Otherwise it would start once it can, long after the update has failed. The next update makes another attempt.
      const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
      await kubectl.run(["patch", `job/${name}`, "--type=merge", `--patch=${patch}`]);
      for (let count = 0; count < cancelPolls.count; count++) {
        if ((await poll()).failed !== undefined) break;
        await delay(cancelPolls.milliseconds);
      }
      if (stage === "never started") return "Canceled the Job because it never started.";
      return "Canceled the Job during its restore point. The database is unchanged.";
    },
  };
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

/** Returns the messages of a Job's Warning events, oldest first. */
export async function warningsOf(kubectl: Kubectl, { metadata }: Job): Promise<readonly string[]> {
  const selector = `--field-selector=involvedObject.uid=${metadata.uid},type=Warning`;
  const sorted = "--sort-by=.lastTimestamp";
  const { items } = await kubectl.get<{ items: { message?: string }[] }>("events", selector, sorted);
  return items.map(({ message }) => message).filter((message) => message !== undefined);
}
