import { names } from "../../manifests/names.ts";
import { type Cause, podCauses, rejectedPod } from "../causes.ts";
import type { Kubectl } from "../kubectl.ts";
import type { Pod } from "../objects.ts";
import { listRolloutItems, type Rollout, rolloutOf } from "../rollout.ts";
import type { PollResult } from "./poll-result.ts";
import type { Waiter } from "./wait.ts";

/** Returns a condition of the Deployment if it has the status. */
function condition({ deployment }: Rollout, type: string, status: "True" | "False") {
  return deployment.status?.conditions?.find((each) => each.type === type && each.status === status);
}

/** Whether the status is that of the newest spec: the Deployment's controller has observed it. */
function isObserved({ deployment }: Rollout): boolean {
  return (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
}

/** Returns when the rollout exceeded its progress deadline, if it did. */
export function overdueSince(rollout: Rollout | undefined): string | undefined {
  if (rollout === undefined || !isObserved(rollout)) return undefined;
  return condition(rollout, "Progressing", "False")?.lastTransitionTime;
}

/**
 * Evaluates a Deployment's rollout: done once all pods belong to the newest ReplicaSet and serve.
 *
 * @param overdueBefore - {@link overdueSince} when the wait began: it is about an earlier rollout, which this one may fix.
 */
export function evaluateRollout(name: string, rollout: Rollout | undefined, overdueBefore?: string): PollResult {
  if (rollout === undefined)
    return { done: false, progress: "not found", failed: "the Deployment was deleted", causes: [] };
  if (!isObserved(rollout)) return { done: false, progress: "spec update not observed yet", causes: [] };
  const { desired, ready, own, old, complete } = rollout;
  const others = old.length > 0 ? `, ${old.length} old ${old.length === 1 ? "pod" : "pods"} pending termination` : "";
  const progress = `${ready}/${desired} pods ready${others}`;
  if (complete) return { done: true, progress, causes: [] };
  const causes = [...own.flatMap((pod) => podCauses(pod, true)), ...rejected(name, rollout)].sort(worstFirst);
  const overdue = condition(rollout, "Progressing", "False");
  if (overdue === undefined || overdue.lastTransitionTime === overdueBefore) return { done: false, progress, causes };
  return { done: false, progress, failed: `${overdue.message} [${overdue.reason}]`, causes };
}

function worstFirst(one: Cause, other: Cause): number {
  return one.gracePeriodSeconds === other.gracePeriodSeconds ? 0 : one.gracePeriodSeconds - other.gracePeriodSeconds;
}

function rejected(name: string, rollout: Rollout): readonly Cause[] {
  const message = condition(rollout, "ReplicaFailure", "True")?.message;
  if (message === undefined) return [];
  return [rejectedPod(`Deployment ${name}`, message, ["describe", `replicaset/${rollout.replicaSet}`])];
}

/** Returns the newest ReplicaSet's pods that failed before the wait, which Kubernetes retries only after minutes. */
export function failedBefore(rollout: Rollout | undefined): readonly string[] {
  if (rollout === undefined || !isObserved(rollout)) return [];
  const hasFailed = (pod: Pod) => podCauses(pod, true).some(({ key }) => /^(exit|pull) /.test(key));
  return rollout.own.filter(hasFailed).map(({ metadata }) => metadata.name);
}

/** Returns the newest ReplicaSet if it couldn't create pods, which Kubernetes also retries only after minutes. */
export function rejectedReplicaSet(rollout: Rollout | undefined): string | undefined {
  if (rollout === undefined || !isObserved(rollout)) return undefined;
  return condition(rollout, "ReplicaFailure", "True") && rollout.replicaSet;
}

/** Describes what serves if a rollout fails. */
function remaining(name: string): string {
  if (name === names.postgres) return "PostgreSQL is unavailable until its pod is ready; its data is on the volume.";
  return "Pods of the previous release keep serving until new ones are ready.";
}

/**
 * Returns a waiter for a Deployment's rollout.
 *
 * After a failed update, Kubernetes retries its pods only after minutes: they are deleted, so that a fix works at once.
 */
export async function rollout(kubectl: Kubectl, name: string): Promise<Waiter> {
  const read = async () => rolloutOf(await listRolloutItems(kubectl), name);
  const before = await read().catch(() => undefined);
  const [failed, rejected] = [failedBefore(before), rejectedReplicaSet(before)];
  if (failed.length > 0) {
    console.log(`Deleting pods that failed before this update: ${failed.join(", ")}`);
    await kubectl.run(["delete", "pods", ...failed, "--ignore-not-found", "--wait=false"]);
  }
  if (rejected !== undefined) {
    // Any change makes its controller retry at once.
    await kubectl.run(["annotate", "--overwrite", "replicaset", rejected, `pulumi-alembic/tried-again=${Date.now()}`]);
  }
  const overdueBefore = overdueSince(before);
  return {
    title: `Rollout of ${name}`,
    kubectlArgs: ["describe", `deployment/${name}`],
    poll: async () => evaluateRollout(name, await read(), overdueBefore),
    advice: `${remaining(name)} To retry, fix the error and rerun: pulumi up`,
  };
}
