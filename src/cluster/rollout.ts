import { type Condition, isServing, type Pod } from "./pods.ts";

/** What is read of a Deployment and a ReplicaSet. */
interface Workload {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly generation?: number;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    /** All pods of the Deployment, those without this project's labels among them. */
    readonly replicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** A Deployment, one of its ReplicaSets or of their pods, as `kubectl get deployments,replicasets,pods` lists them. */
export type RolloutItem = Workload | (Pod & { readonly kind: "Pod" });

/** How far a Deployment's rollout is. */
export interface Rollout {
  readonly deployment: Workload;
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

function isPod(item: RolloutItem): item is Pod & { readonly kind: "Pod" } {
  return item.kind === "Pod";
}

/** @returns How far the rollout is; `undefined` if there is no Deployment among the items. */
export function rolloutOf(items: readonly RolloutItem[]): Rollout | undefined {
  const workloads = items.filter((item): item is Workload => !isPod(item));
  const deployment = workloads.find(({ kind }) => kind === "Deployment");
  if (deployment === undefined) return undefined;
  const revision = deployment.metadata.annotations?.[revisionAnnotation];
  const replicaSet = workloads.find(
    ({ kind, metadata }) => kind === "ReplicaSet" && metadata.annotations?.[revisionAnnotation] === revision,
  )?.metadata.name;
  const wanted = deployment.spec.replicas ?? 1;
  // Kubernetes keeps pods that were evicted or that a node's shutdown ended: they are over, and nobody's.
  const pods = items.filter(isPod).filter(({ status }) => !["Failed", "Succeeded"].includes(status.phase ?? ""));
  const isOwn = ({ metadata }: Pod) => metadata.ownerReferences?.some(({ name }) => name === replicaSet) ?? false;
  const own = pods.filter(isOwn);
  const old = pods.filter((pod) => !isOwn(pod));
  const ready = own.filter(isServing).length;
  const others = (deployment.status?.replicas ?? wanted) > wanted;
  const complete = ready === wanted && own.length === wanted && old.length === 0 && !others;
  return { deployment, replicaSet, wanted, own, ready, old, complete };
}
