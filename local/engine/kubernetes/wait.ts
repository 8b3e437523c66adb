import { setTimeout as sleep } from "node:timers/promises";
import { podCauses, tail } from "../../../src/cluster/causes.ts";
import type { Pod } from "../../../src/cluster/pods.ts";
import type { Operation } from "../provider.ts";
import { type Cluster, isPassing, type KubeObject, pathOf, withLabels } from "./client.ts";

/** How near an object is to being ready, or why it never will be. */
interface Verdict {
  readonly ready: boolean;
  readonly failed?: string;
  readonly pods?: readonly KubeObject[];
  readonly message?: string;
}

const pollMilliseconds = 200;
const timeoutSeconds = 600;
const revision = "deployment.kubernetes.io/revision";
const condition = (object: KubeObject, type: string): KubeObject | undefined =>
  object.status?.conditions?.find((item: KubeObject) => item.type === type);
const told = (refusal: KubeObject | undefined): string | undefined =>
  refusal?.status === "True" ? `[${refusal.reason}] ${refusal.message}` : undefined;
const join = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join("; ");

/** Why a Job makes no pods (a quota, pod security): only its events say. */
async function lastWarning(cluster: Cluster, { metadata }: KubeObject): Promise<string | undefined> {
  const query = `fieldSelector=${encodeURIComponent(`involvedObject.uid=${metadata.uid},type=Warning`)}`;
  const events = await cluster.list("v1", "Event", metadata.namespace, query).catch(() => []);
  return events.at(-1)?.message;
}

async function jobVerdict(job: KubeObject, cluster: Cluster): Promise<Verdict> {
  if (told(condition(job, "Complete")) !== undefined) return { ready: true };
  const query = withLabels({ "batch.kubernetes.io/controller-uid": job.metadata.uid });
  const pods = await cluster.list("v1", "Pod", job.metadata.namespace, query);
  const message = pods.length === 0 ? await lastWarning(cluster, job) : undefined;
  const failed = told(condition(job, "Failed"));
  return { ready: false, pods, message, failed: failed && join(failed, message) };
}

async function newPods(cluster: Cluster, { spec, metadata }: KubeObject): Promise<KubeObject[]> {
  const query = withLabels(spec.selector.matchLabels);
  const sets = await cluster.list("apps/v1", "ReplicaSet", metadata.namespace, query);
  const current = sets.find(
    (set) =>
      set.metadata.annotations?.[revision] === metadata.annotations?.[revision] &&
      set.metadata.ownerReferences?.[0]?.uid === metadata.uid,
  );
  if (current === undefined) return [];
  return cluster.list("v1", "Pod", metadata.namespace, withLabels(current.spec.selector.matchLabels));
}

async function deploymentVerdict(deployment: KubeObject, cluster: Cluster): Promise<Verdict> {
  const { spec, status = {}, metadata } = deployment;
  if ((status.observedGeneration ?? 0) < metadata.generation) return { ready: false };
  const progressing = condition(deployment, "Progressing");
  const updated = (status.updatedReplicas ?? 0) >= spec.replicas;
  const rolledOut = progressing?.reason === "NewReplicaSetAvailable" && progressing.status === "True";
  if (condition(deployment, "Available")?.status === "True" && updated && rolledOut) return { ready: true };
  const pods = await newPods(cluster, deployment);
  const refused = told(condition(deployment, "ReplicaFailure"));
  if (progressing?.status === "False")
    return { ready: false, pods, failed: join(`[${progressing.reason}] ${progressing.message}`, refused) };
  const counts = `${status.updatedReplicas ?? 0} of ${spec.replicas} replicas updated, ${status.availableReplicas ?? 0} available`;
  return { ready: false, pods, message: join(counts, refused) };
}

const verdicts: { readonly [kind: string]: (object: KubeObject, cluster: Cluster) => Promise<Verdict> } = {
  Job: jobVerdict,
  Deployment: deploymentVerdict,
};

/** Looks until `look` gives more than a text, which says what is still missing. */
async function poll<T extends object | true>(op: Operation, what: string, look: () => Promise<T | string>): Promise<T> {
  const { signal } = op;
  const started = Date.now();
  let [message, toldAt] = ["", 0];
  for (;;) {
    signal.throwIfAborted();
    const found = await look().catch((error: Error) => {
      if (isPassing(error)) return error.message;
      throw error;
    });
    if (typeof found !== "string") return found;
    const elapsed = Date.now() - started;
    if (elapsed > timeoutSeconds * 1000) throw new Error(`${what}: not ready within ${timeoutSeconds} s; ${found}`);
    if (elapsed > 1000 && (found !== message || elapsed - toldAt > 10_000)) {
      op.status(`waiting for ${what}: ${found || "not ready"} (${Math.round(elapsed / 1000)}s)`);
      [message, toldAt] = [found, elapsed];
    }
    await sleep(pollMilliseconds, undefined, { signal }).catch(() => {});
  }
}

const causesOf = (pod: KubeObject) => podCauses(pod as unknown as Pod, false);

/** @returns What is wrong with all pods, with the last lines of the log where a container left no message. */
async function explainPods(cluster: Cluster, pods: readonly KubeObject[]): Promise<string[]> {
  const explained = pods.flatMap((pod) =>
    causesOf(pod).map(async ({ text, log }) => {
      if (log === undefined) return text;
      const query = `container=${log.container}&tailLines=20&previous=${log.previous}`;
      const path = `${pathOf({ apiVersion: "v1", kind: "Pod", ...pod })}/log?${query}`;
      const answer = await cluster.send("GET", path).catch(() => ({ text: "" }));
      return `${text}\nThe last of its log:\n${tail(answer.text)}`.trimEnd();
    }),
  );
  return Promise.all(explained);
}

/** @returns How many pods there are in which phase, and the first fault, in one line. */
function summarizePods(pods: readonly KubeObject[]): string {
  const counts = Map.groupBy(pods, (pod) => (pod.status?.phase ?? "pending").toLowerCase());
  const phases = [...counts].map(([phase, { length }]) => `${length} ${length === 1 ? "pod" : "pods"} ${phase}`);
  const [fault] = pods.flatMap(causesOf);
  return `${phases.join(", ") || "no pod yet"}${fault === undefined ? "" : `; ${fault.text}`}`;
}

const label = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

/** Waits until the object is ready, as its kind means it. @returns It, live; throws what keeps it from ever being so. */
export async function untilReady(cluster: Cluster, object: KubeObject, op: Operation): Promise<KubeObject> {
  const verdict = verdicts[object.kind];
  if (verdict === undefined) return object;
  let pods: readonly KubeObject[] | undefined;
  try {
    return await poll<KubeObject>(op, label(object), async () => {
      const live = await cluster.get(object);
      if (live === undefined) throw new Error(`${label(object)} was deleted while it was waited for`);
      const last = await verdict(live, cluster);
      pods = last.pods;
      if (last.failed !== undefined) throw new Error(`${label(object)}: ${last.failed}`);
      return last.ready ? live : join(last.message, pods && summarizePods(pods));
    });
  } catch (error) {
    if (op.signal.aborted) throw new Error(`cancelled while waiting for ${label(object)}`);
    const faults = await explainPods(cluster, pods ?? []).catch(() => []);
    throw new Error([(error as Error).message, ...faults].join("\n"));
  }
}

/** Waits until the object is gone, or another has its name. */
export async function untilGone(cluster: Cluster, object: KubeObject, op: Operation): Promise<void> {
  await poll(op, `${label(object)} to go`, async () => {
    const live = await cluster.get(object);
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return true;
    return (live.status?.conditions ?? []).map(told).filter(Boolean)[0] ?? "";
  });
}
