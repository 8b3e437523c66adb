import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { apiIsReady, getFromApi } from "./api.ts";
import { componentNames } from "./components.ts";
import { clusterName, network, ports } from "./config.ts";
import { runningPid } from "./processes.ts";

/** The fields of a Node object that are read. */
interface NodeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

/** The fields of a Pod object that are read. */
interface PodObject {
  readonly status?: {
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: { readonly startedAt: string } } }[];
  };
}

/** Whether an RFC 3339 time, which has whole seconds, is not before `since` (milliseconds). */
function isSince(time: string, since: number): boolean {
  return Date.parse(time) >= Math.floor(since / 1000) * 1000;
}

/**
 * Whether the node is ready for pods.
 *
 * @param since - Milliseconds; earlier heartbeats are from a previous run and don't count.
 */
export async function nodeIsReady(since = 0): Promise<boolean> {
  const response = await getFromApi(`/api/v1/nodes/${clusterName}`);
  if (response.status !== 200) return false;
  const { status } = JSON.parse(response.text) as NodeObject;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && isSince(ready.lastHeartbeatTime, since);
}

/**
 * Whether the kubelet has updated the status of all pods: none has a running container that was started before `since`.
 *
 * @param since - Milliseconds; containers that were started earlier have ended.
 */
export async function podsAreUpToDate(since: number): Promise<boolean> {
  const response = await getFromApi(`/api/v1/pods?fieldSelector=spec.nodeName=${clusterName}`);
  if (response.status !== 200) return false;
  const pods = (JSON.parse(response.text) as { readonly items: readonly PodObject[] }).items;
  const containers = pods.flatMap((pod) => pod.status?.containerStatuses ?? []);
  return containers.every(({ state }) => state?.running === undefined || isSince(state.running.startedAt, since));
}

/** Whether the default namespace has its service account, without which no pod can be created. */
export async function serviceAccountExists(): Promise<boolean> {
  const response = await getFromApi("/api/v1/namespaces/default/serviceaccounts/default");
  return response.status === 200;
}

/** Whether the cluster's DNS resolves the API server's Service. */
export async function dnsIsReady(): Promise<boolean> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${network.nodeAddress}:${ports.dns}`]);
  const addresses = await resolver.resolve4("kubernetes.default.svc.cluster.local");
  return addresses.includes(network.apiServiceAddress);
}

/** Whether kube-proxy has written its rules. */
export async function proxyIsReady(): Promise<boolean> {
  const url = `http://127.0.0.1:${ports.proxyHealth}/healthz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
  return response.ok;
}

/** Whether a TCP address or a Unix socket accepts connections. */
export function acceptsConnections(address: { host: string; port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const finish = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on("connect", () => finish(true)).on("error", () => finish(false));
  });
}

/** Whether all components of the local cluster are running, and its node is ready. */
export async function clusterIsHealthy(): Promise<boolean> {
  if (componentNames.some((name) => runningPid(name) === undefined)) return false;
  try {
    return (await apiIsReady()) && (await nodeIsReady());
  } catch {
    return false;
  }
}
