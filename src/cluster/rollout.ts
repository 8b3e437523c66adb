import type { Deployment, Pod, ReplicaSet } from "./objects.ts";
import { isServing } from "./pods.ts";

/** Object that `kubectl get deployments,replicasets,pods` lists. */
export type RolloutItem = Deployment | ReplicaSet | Pod;

/** How far a Deployment's rollout is. */
export interface Rollout {
  readonly deployment: Deployment;
  /** Name of the newest ReplicaSet; `undefined` if there is none yet. */
  readonly replicaSet: string | undefined;
  /** Pods that are wanted. */
  readonly wanted: number;
  /** Pods of the newest ReplicaSet, those on their way out among them. */
  readonly own: readonly Pod[];
  /** Pods of the newest ReplicaSet that serve. */
  readonly ready: number;
  /** Pods of older ReplicaSets. */
  readonly old: readonly Pod[];
  /** Whether all pods that are wanted serve and no others are left. */
  readonly complete: boolean;
}

const revisionAnnotation = "deployment.kubernetes.io/revision";

/** @returns How far the rollout is; `undefined` if there is no Deployment among the items. */
export function rolloutOf(items: readonly RolloutItem[]): Rollout | undefined {
  const deployment = items.find((item) => item.kind === "Deployment");
  if (deployment === undefined) return undefined;
  const revision = deployment.metadata.annotations?.[revisionAnnotation];
  const replicaSet = items.find(
    ({ kind, metadata }) => kind === "ReplicaSet" && metadata.annotations?.[revisionAnnotation] === revision,
  )?.metadata.name;
  const wanted = deployment.spec.replicas ?? 1;
  // Kubernetes keeps pods that were evicted or that a node's shutdown ended: they are over, and nobody's.
  const pods = items
    .filter((item) => item.kind === "Pod")
    .filter(({ status }) => !["Failed", "Succeeded"].includes(status.phase ?? ""));
  const isOwn = ({ metadata }: Pod) => metadata.ownerReferences?.some(({ name }) => name === replicaSet) ?? false;
  const own = pods.filter(isOwn);
  const old = pods.filter((pod) => !isOwn(pod));
  const ready = own.filter(isServing).length;
  const others = (deployment.status?.replicas ?? wanted) > wanted;
  const complete = ready === wanted && own.length === wanted && old.length === 0 && !others;
  return { deployment, replicaSet, wanted, own, ready, old, complete };
}
