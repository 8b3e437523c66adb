import type { Kubectl } from "./kubectl.ts";
import type { Deployment, Pod, ReplicaSet } from "./objects.ts";
import { isServing } from "./pods.ts";

/** Object that `kubectl get deployments,replicasets,pods` lists. */
export type RolloutItem = Deployment | ReplicaSet | Pod;

/**
 * Rollout of a Deployment. As for `kubectl rollout status`, pods that are terminating don't count: no Service sends requests
 * to them, and what must not run beside old code waits for their end itself.
 */
export interface Rollout {
  readonly deployment: Deployment;
  /** Name of the newest ReplicaSet; `undefined` before it exists. */
  readonly replicaSet: string | undefined;
  /** Desired number of pods. */
  readonly desired: number;
  /** Pods of the newest ReplicaSet. */
  readonly own: readonly Pod[];
  /** Number of the newest ReplicaSet's pods that serve. */
  readonly ready: number;
  /** Pods of older ReplicaSets. */
  readonly old: readonly Pod[];
  /** Whether all desired pods serve and no others exist. */
  readonly complete: boolean;
}

const revisionAnnotation = "deployment.kubernetes.io/revision";

/** Lists the namespace's Deployments, ReplicaSets, and pods, whatever their labels; pods of Jobs are left out. */
export async function listRolloutItems(kubectl: Kubectl): Promise<readonly RolloutItem[]> {
  const selector = "--selector=!batch.kubernetes.io/job-name";
  return (await kubectl.get<{ items: RolloutItem[] }>("deployments,replicasets,pods", selector)).items;
}

/**
 * Returns a Deployment's rollout; `undefined` without the Deployment. Owner references identify its ReplicaSets and pods:
 * labels are the app's own, and selectors of two Deployments may overlap.
 */
export function rolloutOf(items: readonly RolloutItem[], name: string): Rollout | undefined {
  const deployment = items.find((item) => item.kind === "Deployment" && item.metadata.name === name);
  if (deployment?.kind !== "Deployment") return undefined;
  const revision = deployment.metadata.annotations?.[revisionAnnotation];
  const isOwnedBy = ({ metadata }: RolloutItem, uid: string | undefined) =>
    uid !== undefined && metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  const replicaSets = items.filter((item) => item.kind === "ReplicaSet" && isOwnedBy(item, deployment.metadata.uid));
  const newest = replicaSets.find(({ metadata }) => metadata.annotations?.[revisionAnnotation] === revision);
  const desired = deployment.spec.replicas ?? 1;
  // Kubernetes keeps pods that were evicted or stopped by a node's shutdown; they don't count, either.
  const pods = items
    .filter((item) => item.kind === "Pod")
    .filter(({ status }) => !["Failed", "Succeeded"].includes(status.phase ?? ""))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const podsOf = (sets: readonly RolloutItem[]) =>
    pods.filter((pod) => sets.some(({ metadata }) => isOwnedBy(pod, metadata.uid)));
  const own = podsOf(newest === undefined ? [] : [newest]);
  const old = podsOf(replicaSets.filter((replicaSet) => replicaSet !== newest));
  const ready = own.filter(isServing).length;
  const others = (deployment.status?.replicas ?? desired) > desired;
  const complete = ready === desired && own.length === desired && old.length === 0 && !others;
  return { deployment, replicaSet: newest?.metadata.name, desired, own, ready, old, complete };
}

/** Returns the selector of a Deployment's pods, as kubectl takes it. */
export function selectorOf({ spec }: Deployment): string {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector;
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    return operator === "DoesNotExist" ? `!${key}` : `${key} ${operator.toLowerCase()} (${values.join(",")})`;
  });
  return [...equal, ...others].join(",");
}
