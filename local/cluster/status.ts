import { apiIsReady } from "./api.ts";
import { componentNames } from "./components.ts";
import { clusterName, kubeconfigPath } from "./config.ts";
import { nodeIsReady } from "./health.ts";
import { runningPid } from "./processes.ts";

/** What the local cluster is like now. */
export interface ClusterStatus {
  /** Whether all of it runs and is well. */
  readonly running: boolean;
  readonly kubeconfig: string;
  readonly context: string;
  /** Each component's process, undefined where none runs. */
  readonly components: Readonly<Record<string, number | undefined>>;
}

/** @returns The local cluster's state, without changing it. */
export async function clusterStatus(): Promise<ClusterStatus> {
  const components = Object.fromEntries(componentNames.map((name) => [name, runningPid(name)]));
  const running =
    Object.values(components).every((pid) => pid !== undefined) &&
    (await Promise.all([apiIsReady(), nodeIsReady()]).catch(() => [false])).every(Boolean);
  return { running, kubeconfig: kubeconfigPath, context: clusterName, components };
}
