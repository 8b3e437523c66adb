import type { ContainerStatus, Pod } from "../../src/cluster/pods.ts";
import type { RolloutItem } from "../../src/cluster/rollout.ts";

type Kind<T extends string> = { readonly kind: T };

/** Returns the status of a new container, with some fields replaced. */
export function container(given: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: "app", image: "localhost/app:1", restartCount: 0, state: {}, lastState: {}, ...given };
}

/** Returns a pending pod of `owner`. */
export function pod(owner: string, status: Pod["status"] = {}, deleted = false): Pod & Kind<"Pod"> {
  const limits = { resources: { limits: { memory: "512Mi" } } };
  return {
    kind: "Pod",
    metadata: {
      name: `${owner}-pod`,
      creationTimestamp: "2026-01-03T00:00:00Z",
      ownerReferences: [{ name: owner }],
      ...(deleted ? { deletionTimestamp: "2026-01-03T00:00:01Z" } : {}),
    },
    spec: { initContainers: [{ name: "migrate", ...limits }], containers: [{ name: "app", ...limits }] },
    status: { phase: "Pending", ...status },
  };
}

/** Returns a ready pod of `owner`. */
export function servingPod(owner: string): Pod & Kind<"Pod"> {
  return pod(owner, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
}

/** Conditions of a Deployment. */
type Conditions = NonNullable<Extract<RolloutItem, { metadata: { generation?: number } }>["status"]>["conditions"];

/** Returns a Deployment of `replicas` pods at its second rollout, and its ReplicaSets `rs1` and `rs2`. */
export function deployment(replicas: number, conditions: Conditions = [], observedGeneration = 2): RolloutItem[] {
  const revision = (n: number) => ({ "deployment.kubernetes.io/revision": String(n) });
  return [
    {
      kind: "Deployment",
      metadata: { name: "app", generation: 2, annotations: revision(2) },
      spec: { replicas },
      status: { observedGeneration, conditions },
    },
    ...[1, 2].map((n) => ({ kind: "ReplicaSet", metadata: { name: `rs${n}`, annotations: revision(n) }, spec: {} })),
  ];
}
