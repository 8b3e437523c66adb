import type { Kubectl } from "../cluster/kubectl.ts";
import type { Job, Pod } from "../cluster/objects.ts";
import { newestServing } from "../cluster/pods.ts";
import { listRolloutItems, type Rollout, rolloutOf, selectorOf } from "../cluster/rollout.ts";
import { type ChainSchema, chainSchema } from "../lockfile/schema/chain-schema.ts";
import { type DatabaseFacts, readDatabase } from "./database-facts.ts";
import { type ImageFacts, type PodAnswers, type PodFacts, queryPod } from "./pod-facts.ts";
import type { Expected } from "./result.ts";

/** Sources of the checks. Each is read once, at its first use. */
export interface Sources {
  /** Client for what is read only for one check. */
  readonly kubectl: Kubectl;
  /** The rollout of a workload; `undefined` without its Deployment. */
  rollout(workload: string): Promise<Rollout | undefined>;
  /** The newest serving pod of a workload's newest release. */
  pod(workload: string): Promise<Pod>;
  /** Recent log lines of a workload's pods, each after `[pod/<name>/<container>] `. */
  logs(workload: string): Promise<string>;
  /** Facts about the image of a workload's pod. */
  image(workload: string): Promise<ImageFacts>;
  /** Waits until the first workload's pod has measured what other queries would slow down, or can't. */
  readonly measured: () => Promise<void>;
  /** Facts that the first workload's pod reports. */
  inPod<Part extends keyof PodFacts>(part: Part): Promise<PodFacts[Part]>;
  /** The migration Job of the expected release; `undefined` without one. */
  readonly job: () => Promise<Job | undefined>;
  /** `null` without Alembic's table. */
  readonly database: () => Promise<DatabaseFacts | null>;
  /** Schema that the chain creates. */
  readonly schema: () => Promise<ChainSchema>;
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
 * Opens the sources of a deployed release.
 *
 * @param parts - Facts to request from the first workload's pod, all at the same time.
 */
export function openSources(kubectl: Kubectl, expected: Expected, parts: readonly (keyof PodFacts)[]): Sources {
  const { owned, chain, release, recentSeconds = defaultRecentSeconds } = expected;
  const [first = ""] = expected.workloads;
  const items = once(() => listRolloutItems(kubectl));
  const rollout = async (workload: string) => rolloutOf(await items(), workload);
  const pod = async (workload: string) => {
    const own = (await rollout(workload))?.own ?? [];
    const newest = newestServing(own);
    if (newest === undefined) throw new Error(`no pod of ${workload} is ready (${own.length} of its newest release)`);
    return newest;
  };
  const measured = Promise.withResolvers<PodAnswers>();
  const answers = once(async () => queryPod(kubectl, await pod(first), parts, expected, measured.resolve));
  const firstAnswers = () => Promise.race([measured.promise, answers()]);
  return {
    kubectl,
    rollout,
    pod,
    async logs(workload) {
      const found = await rollout(workload);
      if (found === undefined) throw new Error(`Deployment ${workload} not found`);
      const options = [`--since=${recentSeconds}s`, `--tail=${logLines}`, "--prefix"];
      const read = () => kubectl.run(["logs", `--selector=${selectorOf(found.deployment)}`, ...options]);
      // Read again if that fails: a pod of the previous release may be deleted between kubectl's list and its logs.
      return read().catch(read);
    },
    async image(workload) {
      if (workload === first) return factOf(await answers(), "image");
      return factOf(await queryPod(kubectl, await pod(workload), ["image"], expected), "image");
    },
    async measured() {
      if (parts.length > 0) await firstAnswers().catch(() => {});
    },
    async inPod(part) {
      const early = await firstAnswers();
      return factOf(part in early ? early : await answers(), part);
    },
    job: once(async () => {
      if (release === undefined) return undefined;
      const jobs = await kubectl.get<{ items: Job[] }>("jobs", `--field-selector=metadata.name=${release.jobName}`);
      return jobs.items[0];
    }),
    database: once(() => readDatabase(kubectl, chain, owned, first)),
    schema: once(() => chainSchema(chain)),
  };
}

/** @throws {Error} If the pod reported an error, or nothing. */
function factOf<Part extends keyof PodFacts>(answers: PodAnswers, part: Part): PodFacts[Part] {
  const answer = answers[part];
  if (answer === undefined || "error" in answer)
    throw new Error(answer?.error ?? `the pod reported nothing for ${part}`);
  return answer.value;
}
