import {
  clusterName,
  cniPluginFolder,
  containerdRoot,
  containerdSocket,
  kubeconfigPath,
  network,
  pauseImage,
  ports,
  statePath,
} from "./config.ts";
import { writeIfChanged } from "./kubeconfig.ts";
import { overlayWorks } from "./mounts.ts";
import { pkiPath } from "./pki.ts";

/** Paths of the components' configuration files. */
export const configPaths = {
  containerd: statePath("config", "containerd.toml"),
  cni: statePath("config", "cni", "10-unity.conflist"),
  kubelet: statePath("config", "kubelet.json"),
  proxy: statePath("config", "proxy.json"),
  coredns: statePath("config", "Corefile"),
} as const;

/** Writes all configuration files that changed. */
export async function writeConfiguration(): Promise<void> {
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  const snapshotter = (await overlayWorks(statePath())) ? "overlayfs" : "native";
  writeIfChanged(configPaths.containerd, containerdConfig(snapshotter));
  writeIfChanged(configPaths.cni, json(cniConfig()));
  writeIfChanged(configPaths.kubelet, json(kubeletConfig()));
  writeIfChanged(configPaths.proxy, json(proxyConfig()));
  writeIfChanged(configPaths.coredns, corefile());
}

/**
 * Returns containerd's configuration. `restrict_oom_score_adj` is for machines without CAP_SYS_RESOURCE. Namespaces are
 * mounted below the state folder, which identifies them as the cluster's.
 */
function containerdConfig(snapshotter: "overlayfs" | "native"): string {
  return `version = 2
root = "${containerdRoot}"
state = "${statePath("containerd", "state")}"
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniPluginFolder}"
    conf_dir = "${statePath("config", "cni")}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`;
}

/** Returns the CNI configuration. `isGateway` is off because it enables forwarding on the whole machine. */
function cniConfig() {
  return {
    cniVersion: "0.4.0",
    name: clusterName,
    plugins: [
      {
        type: "bridge",
        bridge: network.bridge,
        isGateway: false,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: statePath("cni"),
          ranges: [[{ subnet: network.podSubnet, gateway: network.nodeAddress }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
    ],
  };
}

function kubeletConfig() {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.nodeAddress,
    port: ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports.kubeletHealth,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${clusterName}`,
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDomain: "cluster.local",
    clusterDNS: [network.nodeAddress],
    resolvConf: "",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiPath("ca", "crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: pkiPath("kubelet", "crt"),
    tlsPrivateKeyFile: pkiPath("kubelet", "key"),
    makeIPTablesUtilChains: false,
    // No eviction: some file systems have no statistics, and a developer's nearly full disk must not evict pods.
    localStorageCapacityIsolation: false,
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    enforceNodeAllocatable: [],
    oomScoreAdj: 0,
    // One machine and one user need no limits that protect large clusters.
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    shutdownGracePeriod: "0s",
    volumePluginDir: statePath("kubelet", "volumeplugins"),
    podLogsDir: statePath("pod-logs"),
  };
}

function proxyConfig() {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig: kubeconfigPath },
    clusterCIDR: network.podSubnet,
    hostnameOverride: clusterName,
    bindAddress: "127.0.0.1",
    nodePortAddresses: [`${network.nodeAddress}/32`],
    healthzBindAddress: `127.0.0.1:${ports.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    nftables: { masqueradeAll: true, minSyncPeriod: "100ms" },
  };
}

function corefile(): string {
  return `.:${ports.dns} {
  bind ${network.nodeAddress}
  errors
  kubernetes cluster.local {
    kubeconfig ${kubeconfigPath} ${clusterName}
    pods disabled
    ttl 1
  }
  cache 1
}
`;
}
