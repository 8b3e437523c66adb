import { setTimeout as sleep } from "node:timers/promises";
import type {
  CoreV1Event,
  KubernetesObject,
  V1Deployment,
  V1Job,
  V1JobCondition,
  V1Pod,
  V1ReplicaSet,
} from "@kubernetes/client-node";
import { podCauses, tail } from "../../../src/cluster/causes.ts";
import type { Pod } from "../../../src/cluster/objects.ts";
import type { Operation } from "../provider.ts";
import { type Cluster, isTransient, type KubeObject, pathOf, withLabels } from "./client.ts";

/** Whether an object is ready, or why it never will be. */
interface Readiness {
  readonly ready: boolean;
  readonly failed?: string;
  readonly pods?: readonly V1Pod[];
  readonly message?: string;
}

type Condition = Pick<V1JobCondition, "type" | "status" | "reason" | "message">;

const pollMilliseconds = 200;
const timeoutSeconds = 600;
const revision = "deployment.kubernetes.io/revision";

const join = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join("; ");
const reasonOf = ({ reason, message }: Condition): string => `[${reason}] ${message}`;
const label = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

/** Returns the reason of a condition that is true. */
function reasonIfTrue(conditions: readonly Condition[] | undefined, type: string): string | undefined {
  const condition = conditions?.find((each) => each.type === type && each.status === "True");
  return condition && reasonOf(condition);
}

/** Returns why a Job has no pods, such as a quota or pod security: only its events contain it. */
async function lastWarning(cluster: Cluster, { metadata }: KubernetesObject): Promise<string | undefined> {
  const query = `fieldSelector=${encodeURIComponent(`involvedObject.uid=${metadata?.uid},type=Warning`)}`;
  const events = await cluster.list<CoreV1Event>("v1", "Event", metadata?.namespace, query).catch(() => []);
  return events.at(-1)?.message;
}

async function jobReadiness(job: V1Job, cluster: Cluster): Promise<Readiness> {
  const conditions = job.status?.conditions;
  if (reasonIfTrue(conditions, "Complete") !== undefined) return { ready: true };
  const query = withLabels({ "batch.kubernetes.io/controller-uid": job.metadata?.uid ?? "" });
  const pods = await cluster.list<V1Pod>("v1", "Pod", job.metadata?.namespace, query);
  const message = pods.length === 0 ? await lastWarning(cluster, job) : undefined;
  const failed = reasonIfTrue(conditions, "Failed");
  return { ready: false, pods, message, failed: failed && join(failed, message) };
}

/** Returns the pods of a Deployment's current revision. */
async function currentPods(cluster: Cluster, { spec, metadata }: V1Deployment): Promise<V1Pod[]> {
  const query = withLabels(spec?.selector.matchLabels ?? {});
  const sets = await cluster.list<V1ReplicaSet>("apps/v1", "ReplicaSet", metadata?.namespace, query);
  const current = sets.find(
    (set) =>
      set.metadata?.annotations?.[revision] === metadata?.annotations?.[revision] &&
      set.metadata?.ownerReferences?.[0]?.uid === metadata?.uid,
  );
  if (current === undefined) return [];
  const labels = withLabels(current.spec?.selector.matchLabels ?? {});
  return cluster.list<V1Pod>("v1", "Pod", metadata?.namespace, labels);
}

async function deploymentReadiness(deployment: V1Deployment, cluster: Cluster): Promise<Readiness> {
  const { spec, status = {}, metadata } = deployment;
  if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return { ready: false };
  const { conditions, updatedReplicas = 0, availableReplicas = 0 } = status;
  const replicas = spec?.replicas ?? 1;
  const progressing = conditions?.find(({ type }) => type === "Progressing");
  const rolledOut = progressing?.reason === "NewReplicaSetAvailable" && progressing.status === "True";
  const available = reasonIfTrue(conditions, "Available") !== undefined;
  if (available && rolledOut && updatedReplicas >= replicas) return { ready: true };
  const pods = await currentPods(cluster, deployment);
  const rejected = reasonIfTrue(conditions, "ReplicaFailure");
  if (progressing?.status === "False") return { ready: false, pods, failed: join(reasonOf(progressing), rejected) };
  const counts = `${updatedReplicas} of ${replicas} replicas updated, ${availableReplicas} available`;
  return { ready: false, pods, message: join(counts, rejected) };
}

const readiness: { readonly [kind: string]: (object: KubeObject, cluster: Cluster) => Promise<Readiness> } = {
  Job: jobReadiness,
  Deployment: deploymentReadiness,
};

/** Polls until `check` returns anything but a text, which describes what is missing. */
async function poll<T extends object | true>(
  op: Operation,
  what: string,
  check: () => Promise<T | string>,
): Promise<T> {
  const { signal } = op;
  const started = Date.now();
  let printed = "";
  let printedAt = 0;
  for (;;) {
    signal.throwIfAborted();
    const found = await check().catch((error: Error) => {
      if (isTransient(error)) return error.message;
      throw error;
    });
    if (typeof found !== "string") return found;
    const elapsed = Date.now() - started;
    if (elapsed > timeoutSeconds * 1000) throw new Error(`${what}: timed out after ${timeoutSeconds}s; ${found}`);
    if (elapsed > 1000 && (found !== printed || elapsed - printedAt > 10_000)) {
      op.status(`waiting for ${what}: ${found || "not ready"} (${Math.round(elapsed / 1000)}s)`);
      printed = found;
      printedAt = elapsed;
    }
    await sleep(pollMilliseconds, undefined, { signal }).catch(() => {});
  }
}

const causesOf = (pod: V1Pod) => podCauses(pod as unknown as Pod, false);

/** Describes what is wrong with pods, with the end of the log where a container left no message. */
async function explainPods(cluster: Cluster, pods: readonly V1Pod[]): Promise<string[]> {
  const texts: string[] = [];
  for (const pod of pods) {
    for (const { text, log } of causesOf(pod)) {
      texts.push(text);
      if (log === undefined) continue;
      const query = `container=${log.container}&tailLines=20&previous=${log.previous}`;
      const path = `${pathOf({ apiVersion: "v1", kind: "Pod", metadata: pod.metadata ?? {} })}/log?${query}`;
      const answer = await cluster.send<{ text: string }>("GET", path).catch(() => ({ text: "" }));
      if (answer.text.trim() !== "") texts.push(`Last log lines:\n${tail(answer.text)}`);
    }
  }
  return texts;
}

/** Returns the number of pods in each phase and the first problem, in one line. */
function summarizePods(pods: readonly V1Pod[]): string {
  const counts = Map.groupBy(pods, (pod) => (pod.status?.phase ?? "pending").toLowerCase());
  const phases = [...counts].map(([phase, { length }]) => `${length} ${length === 1 ? "pod" : "pods"} ${phase}`);
  const [cause] = pods.flatMap(causesOf);
  return `${phases.join(", ") || "no pods yet"}${cause === undefined ? "" : `; ${cause.text}`}`;
}

/**
 * Waits until the object is ready, by the rules of its kind.
 *
 * @returns The live object.
 * @throws {Error} If it can't become ready.
 */
export async function untilReady(cluster: Cluster, object: KubeObject, op: Operation): Promise<KubeObject> {
  const readinessOf = readiness[object.kind];
  if (readinessOf === undefined) return object;
  let pods: readonly V1Pod[] | undefined;
  try {
    return await poll<KubeObject>(op, label(object), async () => {
      const live = await cluster.get(object);
      if (live === undefined) throw new Error(`${label(object)} was deleted during the wait`);
      const last = await readinessOf(live, cluster);
      pods = last.pods;
      if (last.failed !== undefined) throw new Error(`${label(object)}: ${last.failed}`);
      return last.ready ? live : join(last.message, pods && summarizePods(pods));
    });
  } catch (error) {
    if (op.signal.aborted) throw new Error(`canceled while waiting for ${label(object)}`);
    const causes = await explainPods(cluster, pods ?? []).catch(() => []);
    throw new Error([(error as Error).message, ...causes].join("\n"));
  }
}

/** Waits until the object is deleted or replaced by another of its name. */
export async function untilDeleted(cluster: Cluster, object: KubeObject, op: Operation): Promise<void> {
  await poll(op, `deletion of ${label(object)}`, async () => {
    const live: (KubeObject & { status?: { conditions?: Condition[] } }) | undefined = await cluster.get(object);
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return true;
    const blocker = live.status?.conditions?.find(({ status }) => status === "True");
    return blocker === undefined ? "" : reasonOf(blocker);
  });
}
