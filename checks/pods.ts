import { setTimeout as delay } from "node:timers/promises";
import { isServing, type Pod, workloadSelector } from "../cluster/pods.ts";
import { names } from "../manifests/names.ts";
import type { Check } from "./check.ts";
import type { Finding } from "./result.ts";

/** How long pods of the old ReplicaSet may take to end: their grace period and a little. */
const patienceSeconds = 40;
const pollMilliseconds = 300;

/** What is read of a Deployment and a ReplicaSet. */
interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: { readonly replicas?: number };
}

type Item = Workload | (Pod & { readonly kind: "Pod" });

const revisionAnnotation = "deployment.kubernetes.io/revision";

function isPod(item: Item): item is Pod & { readonly kind: "Pod" } {
  return item.kind === "Pod";
}

/** Judges a Deployment with its ReplicaSets and pods: as many pods as wanted, all of the newest ReplicaSet, all ready. */
export function judgePods(items: readonly Item[]): Finding {
  const workloads = items.filter((item): item is Workload => !isPod(item));
  const deployment = workloads.find(({ kind }) => kind === "Deployment");
  if (deployment === undefined) return { passed: false, expected: "a Deployment", found: "none" };
  const revision = deployment.metadata.annotations?.[revisionAnnotation];
  const newest = workloads.find(
    ({ kind, metadata }) => kind === "ReplicaSet" && metadata.annotations?.[revisionAnnotation] === revision,
  );
  const wanted = deployment.spec.replicas ?? 1;
  // Kubernetes keeps pods that were evicted or that a node's shutdown ended: they are over, and nobody's.
  const pods = items.filter(isPod).filter(({ status }) => !["Failed", "Succeeded"].includes(status.phase ?? ""));
  const own = pods.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ name }) => name === newest?.metadata.name),
  );
  const ready = own.filter(isServing).length;
  const old = pods.length - own.length;
  return {
    passed: ready === wanted && own.length === wanted && old === 0,
    expected: `${wanted} of ${wanted} pods ready, none of an older ReplicaSet`,
    found: `${ready} of ${wanted} pods ready, ${old} of an older ReplicaSet`,
  };
}

/** All pods ready and of the new ReplicaSet; waits for those of the old one to end. */
export const pods: Check = {
  title: "Every pod is ready and runs the new release.",
  command: ({ context, namespace }) => `kubectl --context ${context} get pods -n ${namespace}`,
  async run(kubectl) {
    const selector = workloadSelector(names.backend);
    const look = async () =>
      judgePods((await kubectl.get<{ items: Item[] }>("deployments,replicasets,pods", selector)).items);
    const deadline = Date.now() + patienceSeconds * 1000;
    let finding = await look();
    while (!finding.passed && Date.now() < deadline) {
      await delay(pollMilliseconds);
      finding = await look();
    }
    return finding;
  },
};
