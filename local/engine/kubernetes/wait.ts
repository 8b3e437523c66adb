import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../provider.ts";
import { type Cluster, isPassing, type KubeObject } from "./client.ts";
import { explainPods, summarizePods } from "./pods.ts";

interface Verdict {
  readonly ready: boolean;
  /** Why it will never be ready. */
  readonly failed?: string;
  readonly pods?: readonly KubeObject[];
  readonly message?: string;
}

const pollMilliseconds = 200;
const condition = (object: KubeObject, type: string): KubeObject | undefined =>
  object.status?.conditions?.find((item: KubeObject) => item.type === type);
const podsOf = (cluster: Cluster, { metadata }: KubeObject, labels: KubeObject) =>
  cluster.list("v1", "Pod", metadata.namespace, labels);

/** Why a controller makes no pods (a quota, pod security): only its events say. */
async function lastWarning(cluster: Cluster, { metadata }: KubeObject): Promise<string | undefined> {
  const path = await cluster.collection("v1", "Event", metadata.namespace);
  const selector = encodeURIComponent(`involvedObject.uid=${metadata.uid},type=Warning`);
  const { items } = await cluster.send("GET", `${path}?fieldSelector=${selector}`).catch(() => ({ items: [] }));
  return items.at(-1)?.message;
}

async function jobVerdict(job: KubeObject, cluster: Cluster): Promise<Verdict> {
  const failed = condition(job, "Failed");
  if (condition(job, "Complete")?.status === "True") return { ready: true };
  const pods = await podsOf(cluster, job, { "batch.kubernetes.io/controller-uid": job.metadata.uid });
  const message = pods.length === 0 ? await lastWarning(cluster, job) : undefined;
  const why =
    failed?.status === "True"
      ? [`[${failed.reason}] ${failed.message}`, message].filter(Boolean).join("; ")
      : undefined;
  return { ready: false, pods, message, failed: why };
}

async function deploymentVerdict(deployment: KubeObject, cluster: Cluster): Promise<Verdict> {
  const { spec, status = {}, metadata } = deployment;
  if ((status.observedGeneration ?? 0) < metadata.generation) return { ready: false };
  const [progressing, available] = [condition(deployment, "Progressing"), condition(deployment, "Available")];
  const updated = (status.updatedReplicas ?? 0) >= spec.replicas;
  const rolledOut = progressing?.reason === "NewReplicaSetAvailable" && progressing.status === "True";
  if (available?.status === "True" && updated && rolledOut) return { ready: true };
  const sets = await cluster.list("apps/v1", "ReplicaSet", metadata.namespace, spec.selector.matchLabels ?? {});
  const revision = metadata.annotations?.["deployment.kubernetes.io/revision"];
  const current = sets.find(
    (set) =>
      set.metadata.annotations?.["deployment.kubernetes.io/revision"] === revision &&
      set.metadata.ownerReferences?.[0]?.uid === metadata.uid,
  );
  const pods = current === undefined ? [] : await podsOf(cluster, deployment, current.spec.selector.matchLabels);
  const message = `${status.updatedReplicas ?? 0} of ${spec.replicas} replicas updated, ${status.availableReplicas ?? 0} available`;
  const refused = condition(deployment, "ReplicaFailure");
  if (progressing?.status === "False") {
    const cause = refused?.status === "True" ? `; [${refused.reason}] ${refused.message}` : "";
    return { ready: false, pods, failed: `[${progressing.reason}] ${progressing.message}${cause}` };
  }
  return { ready: false, pods, message: refused?.status === "True" ? `${message}; ${refused.message}` : message };
}

async function statefulSetVerdict(set: KubeObject, cluster: Cluster): Promise<Verdict> {
  const { spec, status = {}, metadata } = set;
  const current =
    (status.observedGeneration ?? 0) >= metadata.generation && status.currentRevision === status.updateRevision;
  if (current && (status.readyReplicas ?? 0) >= spec.replicas) return { ready: true };
  const pods = await podsOf(cluster, set, spec.selector.matchLabels ?? {});
  return { ready: false, pods, message: `${status.readyReplicas ?? 0} of ${spec.replicas} replicas ready` };
}

async function serviceVerdict(service: KubeObject, cluster: Cluster): Promise<Verdict> {
  const { spec, metadata, status } = service;
  if (spec.type === "LoadBalancer" && !status?.loadBalancer?.ingress?.length)
    return { ready: false, message: "no load balancer address yet" };
  if (spec.type === "ExternalName" || Object.keys(spec.selector ?? {}).length === 0) return { ready: true };
  const labels = { "kubernetes.io/service-name": metadata.name };
  const slices = await cluster.list("discovery.k8s.io/v1", "EndpointSlice", metadata.namespace, labels);
  const endpoints = slices.flatMap((slice): KubeObject[] => slice.endpoints ?? []);
  if (spec.clusterIP === "None" || endpoints.some((endpoint) => endpoint.conditions?.ready !== false))
    return { ready: true };
  return {
    ready: false,
    message: "no ready pod matches its selector",
    pods: await podsOf(cluster, service, spec.selector),
  };
}

async function claimVerdict({ spec, status }: KubeObject, cluster: Cluster): Promise<Verdict> {
  if (status?.phase === "Bound") return { ready: true };
  const name = spec.storageClassName;
  const storage = name
    ? await cluster.get({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name } })
    : undefined;
  return {
    ready: storage?.volumeBindingMode === "WaitForFirstConsumer",
    message: `its phase is ${status?.phase ?? "unset"}`,
  };
}

async function podVerdict(pod: KubeObject): Promise<Verdict> {
  const failed = pod.status?.phase === "Failed" ? "the pod failed" : undefined;
  return {
    ready: condition(pod, "Ready")?.status === "True" || pod.status?.phase === "Succeeded",
    pods: [pod],
    failed,
  };
}

const verdicts: { readonly [kind: string]: (object: KubeObject, cluster: Cluster) => Promise<Verdict> } = {
  "batch/v1/Job": jobVerdict,
  "apps/v1/Deployment": deploymentVerdict,
  "apps/v1/StatefulSet": statefulSetVerdict,
  "apps/v1/DaemonSet": async ({ status = {}, metadata }) => ({
    ready:
      status.observedGeneration >= metadata.generation &&
      status.updatedNumberScheduled === status.desiredNumberScheduled &&
      (status.numberAvailable ?? 0) === status.desiredNumberScheduled,
    message: `${status.numberAvailable ?? 0} of ${status.desiredNumberScheduled ?? "?"} pods available`,
  }),
  "v1/Service": serviceVerdict,
  "v1/PersistentVolumeClaim": claimVerdict,
  "v1/PersistentVolume": async ({ status }) => ({ ready: ["Available", "Bound"].includes(status?.phase) }),
  "v1/Pod": podVerdict,
  "networking.k8s.io/v1/Ingress": async ({ status }) => ({ ready: Boolean(status?.loadBalancer?.ingress?.length) }),
};

async function poll<T extends object | true>(
  op: Operation,
  seconds: number,
  what: string,
  look: () => Promise<T | undefined | string>,
): Promise<T> {
  const started = Date.now();
  let message = "";
  let told = 0;
  for (;;) {
    op.signal.throwIfAborted();
    const found = await look().catch((error: Error) => {
      if (isPassing(error)) return `the API server does not answer: ${error.message}`;
      throw error;
    });
    if (found !== undefined && typeof found !== "string") return found;
    const elapsed = Date.now() - started;
    if (elapsed > seconds * 1000) throw new Error(`${what}: not ready within ${seconds} s; ${found ?? ""}`);
    const now = found ?? "not ready";
    if (elapsed > 1000 && (now !== message || elapsed - told > 10_000)) {
      op.status(`waiting for ${what}: ${now} (${Math.round(elapsed / 1000)}s)`);
      message = now;
      told = elapsed;
    }
    await sleep(pollMilliseconds, undefined, { signal: op.signal }).catch(() => {});
  }
}

const label = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

/** Waits until the object is ready, as its kind means it. @returns It, live; throws what keeps it from ever being so. */
export async function untilReady(
  cluster: Cluster,
  object: KubeObject,
  op: Operation,
  seconds: number,
): Promise<KubeObject> {
  const verdict = verdicts[`${object.apiVersion}/${object.kind}`];
  if (verdict === undefined) return object;
  let last: Verdict = { ready: false };
  const explain = async (why: string): Promise<Error> =>
    new Error([why, ...(await explainPods(cluster, last.pods ?? []).catch(() => []))].join("\n"));
  try {
    return await poll<KubeObject>(op, seconds, label(object), async () => {
      const live = await cluster.get(object);
      if (live === undefined) throw new Error(`${label(object)} was deleted while it was waited for`);
      last = await verdict(live, cluster);
      if (last.failed !== undefined) throw new Error(`${label(object)}: ${last.failed}`);
      return last.ready ? live : [last.message, last.pods && summarizePods(last.pods)].filter(Boolean).join("; ");
    });
  } catch (error) {
    throw op.signal.aborted
      ? new Error(`cancelled while waiting for ${label(object)}`)
      : await explain((error as Error).message);
  }
}

/** Waits until the object is gone, or another has its name. */
export async function untilGone(cluster: Cluster, object: KubeObject, op: Operation, seconds: number): Promise<void> {
  await poll(op, seconds, `${label(object)} to go`, async () => {
    const live = await cluster.get(object);
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return true;
    return (live.status?.conditions ?? [])
      .filter((item: KubeObject) => item.status === "True" && item.message)
      .map((item: KubeObject) => item.message)[0];
  });
}
