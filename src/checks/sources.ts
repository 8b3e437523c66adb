import type { Kubectl } from "../cluster/kubectl.ts";
import type { Job } from "../cluster/objects.ts";
import { newestServing, workloadSelector } from "../cluster/pods.ts";
import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import { type ChainSchema, chainSchema } from "../lockfile/schema/chain-schema.ts";
import { unity } from "../manifests/app.ts";
import { type DatabaseFacts, readDatabase } from "./database-facts.ts";
import { type PodFacts, queryPod } from "./pod-facts.ts";
import type { Expected } from "./result.ts";

/** Sources of the checks. Each is read once, at its first use. */
export interface Sources {
  /** The backend's Deployment, ReplicaSets and pods. */
  readonly workloads: () => Promise<readonly RolloutItem[]>;
  /** The migration Job of the expected release; `undefined` without one. */
  readonly job: () => Promise<Job | undefined>;
  /** `null` without Alembic's table. */
  readonly database: () => Promise<DatabaseFacts | null>;
  /** Schema that the chain creates. */
  readonly schema: () => Promise<ChainSchema>;
  /** Recent log lines of all the backend's pods, each after `[pod/<name>/<container>] `. */
  readonly logs: () => Promise<string>;
  /** Facts that the newest serving pod of the newest release reports. */
  inPod<Part extends keyof PodFacts>(part: Part): Promise<PodFacts[Part]>;
}

/** Log lines to read of each pod. */
const logLines = 1000;
const defaultRecentSeconds = 300;

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read();
    return value;
  };
}

/**
 * Returns the name of the newest serving pod.
 *
 * @throws {Error} If none serves.
 */
function servingPod(items: readonly RolloutItem[], backend: string): string {
  const own = rolloutOf(items)?.own ?? [];
  const newest = newestServing(own);
  if (newest === undefined) throw new Error(`no pod of ${backend} is ready (${own.length} of its newest release)`);
  return newest.metadata.name;
}

/**
 * Opens the sources of a deployed release.
 *
 * @param parts - Facts to request from the pod, all at the same time.
 */
export function openSources(kubectl: Kubectl, expected: Expected, parts: readonly (keyof PodFacts)[]): Sources {
  const { owned, chain, release, recentSeconds = defaultRecentSeconds } = expected;
  const { backend } = expected.app ?? unity;
  const selector = workloadSelector(backend);
  const workloads = once(async () => {
    return (await kubectl.get<{ items: RolloutItem[] }>("deployments,replicasets,pods", selector)).items;
  });
  const pod = once(async () => queryPod(kubectl, servingPod(await workloads(), backend), parts, expected));
  const recent = [`--since=${recentSeconds}s`, `--tail=${logLines}`, "--prefix", `--container=${backend}`];
  const logs = () => kubectl.run(["logs", selector, ...recent]);
  const job = once(async () => {
    if (release === undefined) return undefined;
    const jobs = await kubectl.get<{ items: Job[] }>("jobs", `--field-selector=metadata.name=${release.jobName}`);
    return jobs.items[0];
  });
  return {
    workloads,
    job,
    database: once(() => readDatabase(kubectl, chain, owned, backend)),
    schema: once(() => chainSchema(chain)),
    // Read again if that fails: a pod of the previous release may be deleted between kubectl's list and its logs.
    logs: once(() => logs().catch(logs)),
    async inPod(part) {
      const answer = (await pod())[part];
      if (answer === undefined || "error" in answer)
        throw new Error(answer?.error ?? `the pod reported nothing for ${part}`);
      return answer.value;
    },
  };
}
