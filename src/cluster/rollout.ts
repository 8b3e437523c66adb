import type { Deployment, Pod, ReplicaSet } from "./objects.ts";
import { isServing } from "./pods.ts";

/** Object that `kubectl get deployments,replicasets,pods` lists. */
export type RolloutItem = Deployment | ReplicaSet | Pod;

/** Rollout of a Deployment. */
export interface Rollout {
  readonly deployment: Deployment;
  /** Name of the newest ReplicaSet; `undefined` before it exists. */
  readonly replicaSet: string | undefined;
  /** Desired number of pods. */
  readonly desired: number;
  /** Pods of the newest ReplicaSet, terminating ones included. */
  readonly own: readonly Pod[];
  /** Number of the newest ReplicaSet's pods that serve. */
  readonly ready: number;
  /** Pods of older ReplicaSets. */
  readonly old: readonly Pod[];
  /** Whether all desired pods serve and no others exist. */
  readonly complete: boolean;
}

const revisionAnnotation = "deployment.kubernetes.io/revision";

/** Returns the rollout; `undefined` without a Deployment among the items. */
export function rolloutOf(items: readonly RolloutItem[]): Rollout | undefined {
  const deployment = items.find((item) => item.kind === "Deployment");
  if (deployment === undefined) return undefined;
  const revision = deployment.metadata.annotations?.[revisionAnnotation];
  const replicaSet = items.find(
    ({ kind, metadata }) => kind === "ReplicaSet" && metadata.annotations?.[revisionAnnotation] === revision,
  )?.metadata.name;
  const desired = deployment.spec.replicas ?? 1;
  // Kubernetes keeps pods that were evicted or stopped by a node's shutdown; they don't count.
  const pods = items
    .filter((item) => item.kind === "Pod")
    .filter(({ status }) => !["Failed", "Succeeded"].includes(status.phase ?? ""));
  const isOwn = ({ metadata }: Pod) => metadata.ownerReferences?.some(({ name }) => name === replicaSet) ?? false;
  const own = pods.filter(isOwn);
  const old = pods.filter((pod) => !isOwn(pod));
  const ready = own.filter(isServing).length;
  const others = (deployment.status?.replicas ?? desired) > desired;
  const complete = ready === desired && own.length === desired && old.length === 0 && !others;
  return { deployment, replicaSet, desired, own, ready, old, complete };
}
