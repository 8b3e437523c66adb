import type { ContainerStatus, Deployment, Pod } from "../../src/cluster/objects.ts";
import type { RolloutItem } from "../../src/cluster/rollout.ts";

/** Returns the status of a container that was just created, with `given` replaced. */
export function container(given: Partial<ContainerStatus> = {}): ContainerStatus {
  const created = { name: "app", image: "localhost/app:1", imageID: "", ready: false, restartCount: 0 };
  return { ...created, state: {}, lastState: {}, ...given };
}

/** Returns a pending pod of `owner`. */
export function pod(owner: string, status: Pod["status"] = {}, deleted = false): Pod {
  const limits = { resources: { limits: { memory: "512Mi" } } };
  return {
    kind: "Pod",
    metadata: {
      name: `${owner}-pod`,
      creationTimestamp: "2026-01-03T00:00:00Z",
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner }],
      ...(deleted ? { deletionTimestamp: "2026-01-03T00:00:01Z" } : {}),
    },
    spec: { initContainers: [{ name: "migrate", ...limits }], containers: [{ name: "app", ...limits }] },
    status: { phase: "Pending", ...status },
  };
}

/** Returns a pod of `owner` that serves. */
export function servingPod(owner: string): Pod {
  return pod(owner, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
}

type Conditions = NonNullable<Deployment["status"]>["conditions"];

/** Returns the Deployment `app` at its second rollout, of `replicas` pods, and its ReplicaSets `rs1` and `rs2`. */
export function deployment(replicas: number, conditions: Conditions = [], observedGeneration = 2): RolloutItem[] {
  const revision = (n: number) => ({ "deployment.kubernetes.io/revision": String(n) });
  const selector = {};
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "Deployment", name: "app", uid: "app" }];
  const replicaSet = (n: number): RolloutItem => ({
    kind: "ReplicaSet",
    metadata: { name: `rs${n}`, uid: `rs${n}`, annotations: revision(n), ownerReferences },
    spec: { selector },
  });
  return [
    {
      kind: "Deployment",
      metadata: { name: "app", uid: "app", generation: 2, annotations: revision(2) },
      spec: { replicas, selector, template: { spec: { containers: [] } } },
      status: { observedGeneration, conditions },
    },
    replicaSet(1),
    replicaSet(2),
  ];
}
