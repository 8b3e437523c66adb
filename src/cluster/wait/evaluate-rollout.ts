import { type Cause, podCauses, rejectedPod } from "../causes.ts";
import type { Pod } from "../objects.ts";
import { type Rollout, type RolloutItem, rolloutOf } from "../rollout.ts";
import type { PollResult } from "./poll-result.ts";

/** @returns A Deployment's condition, if it holds (or, with `false`, explicitly doesn't). */
function condition({ deployment }: Rollout, type: string, status: "True" | "False") {
  return deployment.status?.conditions?.find((each) => each.type === type && each.status === status);
}

/** Whether the Deployment's controller has seen its newest specification: before, all else is about an older one. */
function isTakenUp({ deployment }: Rollout): boolean {
  return (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
}

/** When the rollout was called overdue; `undefined` if it is not. */
export function overdueSince(items: readonly RolloutItem[]): string | undefined {
  const rollout = rolloutOf(items);
  return rollout && isTakenUp(rollout) ? condition(rollout, "Progressing", "False")?.lastTransitionTime : undefined;
}

/**
 * Judges a Deployment's rollout: done once all pods are of the newest ReplicaSet and serve, and the old ones are gone.
 *
 * @param overdueBefore {@link overdueSince} of when the wait began: an older rollout's verdict, which this one may mend.
 */
export function evaluateRollout(name: string, items: readonly RolloutItem[], overdueBefore?: string): PollResult {
  const rollout = rolloutOf(items);
  if (rollout === undefined) return { done: false, progress: "gone", failed: "it was deleted", causes: [] };
  const { wanted, ready, old, complete } = rollout;
  if (!isTakenUp(rollout)) return { done: false, progress: "not taken up yet", causes: [] };
  const left = old.length > 0 ? `, ${old.length} of the release before` : "";
  const progress = `${ready} of ${wanted} pods ready${left}`;
  if (complete) return { done: true, progress, causes: [] };
  const overdue = condition(rollout, "Progressing", "False");
  const failed =
    overdue === undefined || overdue.lastTransitionTime === overdueBefore
      ? {}
      : { failed: `${overdue.message} [${overdue.reason}]` };
  const causes = [...alive(rollout).flatMap((pod) => podCauses(pod, true)), ...rejected(name, rollout)];
  return { done: false, progress, ...failed, causes: [...causes, ...leaving(rollout)].sort(worstFirst) };
}

/** The new release's pods, but for those that are on their way out. */
function alive({ own }: Rollout): readonly Pod[] {
  return own.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

function worstFirst(one: Cause, other: Cause): number {
  return one.patienceSeconds === other.patienceSeconds ? 0 : one.patienceSeconds - other.patienceSeconds;
}

function rejected(name: string, rollout: Rollout): readonly Cause[] {
  const message = condition(rollout, "ReplicaFailure", "True")?.message;
  if (message === undefined) return [];
  return [rejectedPod(`Deployment ${name}`, message, ["describe", `replicaset/${rollout.replicaSet}`])];
}

/** Pods of the old release that take their time, where nothing else is missing. */
function leaving({ ready, wanted, old }: Rollout): readonly Cause[] {
  const [pod] = old;
  if (ready < wanted || pod === undefined) return [];
  const { name } = pod.metadata;
  const text = `pod ${name} of the release before is still there`;
  return [{ key: "leaving", text, patienceSeconds: Number.POSITIVE_INFINITY, poll: ["describe", `pod/${name}`] }];
}

/** Pods of the newest ReplicaSet that failed before the wait began, and that Kubernetes tries again only after minutes. */
export function failedBefore(items: readonly RolloutItem[]): readonly string[] {
  const rollout = rolloutOf(items);
  return (rollout !== undefined && isTakenUp(rollout) ? alive(rollout) : [])
    .filter((pod) => podCauses(pod, true).some(({ key }) => /^(end|pull) /.test(key)))
    .map(({ metadata }) => metadata.name);
}

/** Name of the newest ReplicaSet if pods were refused it, which it too tries again only after minutes. */
export function rejectedReplicaSet(items: readonly RolloutItem[]): string | undefined {
  const rollout = rolloutOf(items);
  if (rollout === undefined || !isTakenUp(rollout)) return undefined;
  return condition(rollout, "ReplicaFailure", "True") && rollout.replicaSet;
}
