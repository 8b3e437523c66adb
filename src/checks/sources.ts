import type { Kubectl } from "../cluster/kubectl.ts";
import { newestServing, workloadSelector } from "../cluster/pods.ts";
import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import { type ChainSchema, chainSchema } from "../lockfile/schema/chain-schema.ts";
import { unity } from "../manifests/app.ts";
import { type DatabaseFacts, readDatabase } from "./database-facts.ts";
import { type PodFacts, queryPod } from "./pod-facts.ts";
import type { Expected } from "./result.ts";

/** What the checks look at. Each is asked once, at its first use, whichever checks want to know. */
export interface Sources {
  /** The backend's Deployment, ReplicaSets and pods. */
  readonly workloads: () => Promise<readonly RolloutItem[]>;
  /** `null` if there is no table `alembic_version`. */
  readonly database: () => Promise<DatabaseFacts | null>;
  /** What the chain makes. */
  readonly schema: () => Promise<ChainSchema>;
  /** The recent lines of all the backend's pods, each after `[pod/<name>/<container>] `. */
  readonly logs: () => Promise<string>;
  /** A part of what the newest serving pod of the newest release answers. */
  inPod<Part extends keyof PodFacts>(part: Part): Promise<PodFacts[Part]>;
}

/** Lines of each pod's log that are read. */
const logLines = 1000;
const recentSecondsByDefault = 300;

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}

/** @returns The name of the pod to ask. @throws {Error} If none serves. */
function servingPod(items: readonly RolloutItem[], backend: string): string {
  const own = rolloutOf(items)?.own ?? [];
  const newest = newestServing(own);
  if (newest === undefined) throw new Error(`no pod of ${backend} is ready (${own.length} of its newest release)`);
  return newest.metadata.name;
}

/**
 * @param parts What the pod will be asked; all of it at once.
 * @returns The sources of a deployed release.
 */
export function openSources(kubectl: Kubectl, expected: Expected, parts: readonly (keyof PodFacts)[]): Sources {
  const { owned, chain, recentSeconds = recentSecondsByDefault } = expected;
  const { backend } = expected.app ?? unity;
  const selector = workloadSelector(backend);
  const workloads = once(async () => {
    return (await kubectl.get<{ items: RolloutItem[] }>("deployments,replicasets,pods", selector)).items;
  });
  const pod = once(async () => queryPod(kubectl, servingPod(await workloads(), backend), parts, expected));
  const recent = [`--since=${recentSeconds}s`, `--tail=${logLines}`, "--prefix", `--container=${backend}`];
  const logs = () => kubectl.run(["logs", selector, ...recent]);
  return {
    workloads,
    database: once(() => readDatabase(kubectl, owned, backend)),
    schema: once(() => chainSchema(chain)),
    // Asked again if that fails: a pod of the release before may go between kubectl's list of pods and their logs.
    logs: once(() => logs().catch(logs)),
    async inPod(part) {
      const answer = (await pod())[part];
      if (answer === undefined || "error" in answer)
        throw new Error(answer?.error ?? `the pod says nothing of ${part}`);
      return answer.value;
    },
  };
}
