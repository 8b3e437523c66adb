import { podCauses, tail } from "../../../src/cluster/causes.ts";
import type { Pod } from "../../../src/cluster/pods.ts";
import { type Cluster, type KubeObject, pathOf } from "./client.ts";

const causesOf = (pod: KubeObject) => podCauses(pod as unknown as Pod, false);

/** @returns What is wrong with all pods, with the last lines of the log where a container left no message. */
export async function explainPods(cluster: Cluster, pods: readonly KubeObject[]): Promise<string[]> {
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
export function summarizePods(pods: readonly KubeObject[]): string {
  const counts = Map.groupBy(pods, (pod) => (pod.status?.phase ?? "pending").toLowerCase());
  const phases = [...counts].map(([phase, { length }]) => `${length} ${length === 1 ? "pod" : "pods"} ${phase}`);
  const [fault] = pods.flatMap(causesOf);
  return `${phases.join(", ") || "no pod yet"}${fault === undefined ? "" : `; ${fault.text}`}`;
}
