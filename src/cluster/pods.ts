import { appLabel, headAnnotation, nameLabel } from "../manifests/names.ts";
import type { ReleasePod } from "../plan/older-releases.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Pod } from "./objects.ts";

/** Whether a pod is ready and not being deleted. */
export function isServing(pod: Pod): boolean {
  const ready = pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return ready === true && pod.metadata.deletionTimestamp === undefined;
}

/** Returns a pod with the revision that its code was made for; empty if its containers have ended, or it has no record. */
export function releasePod({ metadata, status }: Pod): ReleasePod[] {
  const head = metadata.annotations?.[headAnnotation];
  const hasEnded = status.phase === "Succeeded" || status.phase === "Failed";
  return head === undefined || hasEnded ? [] : [{ name: metadata.name, head }];
}

/**
 * Lists the pods that have an app's gate.
 *
 * @param app - The app's name.
 * @throws {Error} If the cluster can't be queried.
 */
export async function podsOfApp(kubectl: Kubectl, app: string): Promise<readonly Pod[]> {
  return (await kubectl.get<{ items: Pod[] }>("pods", `--selector=${appLabel}=${app}`)).items;
}

/** Returns pods, the newest first. */
export function newestFirst(pods: readonly Pod[]): readonly Pod[] {
  const created = ({ metadata }: Pod) => metadata.creationTimestamp ?? "";
  return pods.toSorted((a, b) => created(b).localeCompare(created(a)));
}

/** Returns the newest pod that serves. */
export function newestServing(pods: readonly Pod[]): Pod | undefined {
  return newestFirst(pods).find(isServing);
}

/** Returns the kubectl option that selects the objects of workloads. */
export function workloadSelector(...workloads: readonly string[]): string {
  return `--selector=${nameLabel} in (${workloads.join(",")})`;
}

/** Returns the pods of a workload. */
export async function podsOf(kubectl: Kubectl, workload: string): Promise<readonly Pod[]> {
  const list = await kubectl.get<{ items: Pod[] }>("pods", workloadSelector(workload));
  return list.items;
}

/**
 * Returns the name of a workload's newest serving pod.
 *
 * @throws {Error} If no pod serves.
 */
export async function newestServingPod(kubectl: Kubectl, workload: string): Promise<string> {
  const pods = await podsOf(kubectl, workload);
  const newest = newestServing(pods);
  if (newest === undefined) throw new Error(`no pod of ${workload} is ready (${pods.length} exist)`);
  return newest.metadata.name;
}
