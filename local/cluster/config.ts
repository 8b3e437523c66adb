import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";

/** Name of the kubeconfig context, of the node and of the control group that holds every process of the cluster. */
export const clusterName = "unity-local";

/** Folder of everything the cluster keeps between runs: etcd's data, images, volumes, certificates, logs. */
const stateFolder = cachePath("cluster");

/** @returns The path of `parts` below {@link stateFolder}. */
export function statePath(...parts: string[]): string {
  return join(stateFolder, ...parts);
}

/** The kubeconfig that people and programs use. */
export const kubeconfigPath = statePath("kubeconfig");

/** containerd's socket. */
export const containerdSocket = statePath("run", "containerd.sock");

/** Folder of Debian's CNI plugins. */
export const cniPluginFolder = "/usr/lib/cni";

/** The sandbox image of every pod. */
export const pauseImage = "localhost/pause:unity";

/**
 * Addresses. The bridge's address is the node's address too: nothing listens on the machine's real interfaces, and no
 * pod's packet leaves through them.
 */
export const network = {
  bridge: "unity0",
  nodeAddress: "10.244.0.1",
  podSubnet: "10.244.0.0/24",
  serviceSubnet: "10.96.0.0/16",
  /** The first address of the service subnet: the API server's Service. */
  apiServiceAddress: "10.96.0.1",
} as const;

/** TCP ports. Those of the kubelet's API and of DNS are on the bridge, all others on loopback. */
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
