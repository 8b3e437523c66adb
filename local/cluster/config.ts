import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";

/** Name of the kubeconfig context, the node, and the control group of all processes of the cluster. */
export const clusterName = "unity-local";

/** Folder of everything that the cluster keeps between runs: etcd's data, images, volumes, certificates, and logs. */
const stateFolder = cachePath("cluster");

/** Returns the path of `parts` in the state folder. */
export function statePath(...parts: string[]): string {
  return join(stateFolder, ...parts);
}

/** The administrator's kubeconfig. */
export const kubeconfigPath = statePath("kubeconfig");

export const containerdSocket = statePath("run", "containerd.sock");
/** Folder of containerd's images and containers. */
export const containerdRoot = statePath("containerd", "root");

/** Folder of the CNI plugins in Debian's package. */
export const cniPluginFolder = "/usr/lib/cni";

/** The sandbox image of every pod. */
export const pauseImage = "localhost/pause:unity";

/**
 * Network addresses. The bridge's address is also the node's, so that nothing listens on this machine's real interfaces
 * and no pod's packet leaves through them.
 */
export const network = {
  bridge: "unity0",
  /** Hardware address of the bridge, locally administered. */
  bridgeAddress: "0a:58:0a:f4:00:01",
  nodeAddress: "10.244.0.1",
  podSubnet: "10.244.0.0/24",
  serviceSubnet: "10.96.0.0/16",
  /** The API server's Service: the first address of the service subnet. */
  apiServiceAddress: "10.96.0.1",
} as const;

/** TCP ports. The kubelet's API and DNS listen on the bridge, all others on loopback. */
export const ports = {
  apiserver: 6443,
  etcd: 12379,
  etcdPeer: 12380,
  controllerManager: 10257,
  scheduler: 10259,
  proxyHealth: 10256,
  proxyMetrics: 10249,
  kubeletHealth: 10248,
  kubelet: 10250,
  dns: 53,
} as const;
