import { type Cluster, type KubeObject, pathOf } from "./client.ts";

/** @returns What is wrong with a pod, container by container, init containers first; nothing when all is well. */
function podFaults(pod: KubeObject): string[] {
  const name = pod.metadata.name;
  const scheduled = pod.status?.conditions?.find((item: KubeObject) => item.type === "PodScheduled");
  const faults = scheduled?.status === "False" ? [`pod ${name}: [${scheduled.reason}] ${scheduled.message}`] : [];
  const containers: KubeObject[] = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  for (const { name: container, state, lastState } of containers) {
    const of = `pod ${name}: container "${container}"`;
    const { waiting } = state ?? {};
    if (waiting && !["ContainerCreating", "PodInitializing"].includes(waiting.reason))
      faults.push(`${of} [${waiting.reason}] ${waiting.message ?? ""}`.trimEnd());
    const ended = state?.terminated ?? (waiting?.reason === "CrashLoopBackOff" ? lastState?.terminated : undefined);
    if (ended && ended.exitCode !== 0)
      faults.push(
        `${of} ended with exit code ${ended.exitCode} [${ended.reason}]${ended.message ? `: ${ended.message.trim()}` : ""}`,
      );
  }
  return pod.status?.phase === "Failed" && faults.length === 0
    ? [`pod ${name}: [${pod.status.reason ?? "Failed"}] ${pod.status.message ?? ""}`.trimEnd()]
    : faults;
}

/** @returns {@link podFaults} of all, with the last lines of the log where a container left no message. */
export async function explainPods(cluster: Cluster, pods: readonly KubeObject[]): Promise<string[]> {
  const explained = pods.map(async (pod) => {
    const faults = podFaults(pod).map(async (fault) => {
      const silent = /container "(.*)" ended with exit code -?\d+ \[\w+\]$/.exec(fault);
      if (silent === null) return fault;
      const path = `${pathOf({ apiVersion: "v1", kind: "Pod", ...pod })}/log?container=${silent[1]}&tailLines=20`;
      const log = await cluster.send("GET", path).catch(() => ({ text: "" }));
      return `${fault}; the last of its log:\n${log.text}`.trimEnd();
    });
    return Promise.all(faults);
  });
  return (await Promise.all(explained)).flat();
}

/** @returns How many pods there are in which phase, and the first fault, in one line. */
export function summarizePods(pods: readonly KubeObject[]): string {
  const counts = Map.groupBy(pods, (pod) => (pod.status?.phase ?? "pending").toLowerCase());
  const phases = [...counts].map(([phase, { length }]) => `${length} ${length === 1 ? "pod" : "pods"} ${phase}`);
  const [fault] = pods.flatMap(podFaults);
  return `${phases.join(", ") || "no pod yet"}${fault === undefined ? "" : `; ${fault}`}`;
}
