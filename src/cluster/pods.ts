import { nameLabel } from "../manifests/names.ts";
import type { Kubectl } from "./kubectl.ts";

/** A condition of an object's status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** How a container ended. */
export interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

/** What a container does. */
export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: Terminated;
}

/** What Kubernetes says of one container of a pod. */
export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  /** What runs: `<name>@sha256:…`, where the cluster knows a digest of the image's manifest. */
  readonly imageID?: string;
  readonly restartCount: number;
  readonly ready?: boolean;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

/** What this project reads of a container's specification. */
interface Container {
  readonly name: string;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}

/** What this project reads of a pod. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
  readonly spec?: { readonly initContainers?: readonly Container[]; readonly containers?: readonly Container[] };
  readonly status: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** Whether a pod serves: ready, and not on its way out. */
export function isServing(pod: Pod): boolean {
  const ready = pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return ready === true && pod.metadata.deletionTimestamp === undefined;
}

/** @returns kubectl's option that selects the objects of workloads. */
export function workloadSelector(...workloads: readonly string[]): string {
  return `--selector=${nameLabel} in (${workloads.join(",")})`;
}

/** @returns The pods of a workload. */
export async function podsOf(kubectl: Kubectl, workload: string): Promise<readonly Pod[]> {
  const list = await kubectl.get<{ items: Pod[] }>("pods", workloadSelector(workload));
  return list.items;
}

/**
 * @returns The name of the workload's newest serving pod.
 * @throws {Error} If none serves.
 */
export async function newestServingPod(kubectl: Kubectl, workload: string): Promise<string> {
  const pods = await podsOf(kubectl, workload);
  const [newest] = pods
    .filter(isServing)
    .sort((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
  if (newest === undefined) throw new Error(`no pod of ${workload} is ready (${pods.length} exist)`);
  return newest.metadata.name;
}
