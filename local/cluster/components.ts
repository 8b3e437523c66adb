import { clusterName, kubeconfigPath, network, ports, statePath } from "./config.ts";
import { configPaths } from "./configuration.ts";
import { componentKubeconfig } from "./kubeconfig.ts";
import { pkiPath } from "./pki.ts";

export const componentNames = [
  "etcd",
  "containerd",
  "apiserver",
  "controller-manager",
  "scheduler",
  "kubelet",
  "proxy",
  "coredns",
  "provisioner",
] as const;

export type ComponentName = (typeof componentNames)[number];

/** A program that runs as long as the cluster. */
export interface Component {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files that it reads only when it starts: a change restarts it. */
  readonly files: readonly string[];
  /** TCP addresses that it listens on. */
  readonly listens: readonly (readonly [host: string, port: number])[];
}

const loopback = "127.0.0.1";

function flags(values: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

/** Returns the path of the link to the binary whose name selects a program. */
function program(name: string): string {
  return statePath("bin", name);
}

/** Names of the programs in the binary. */
export const programNames = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
  "coredns",
  "provisioner",
] as const;

const certificates = {
  etcd: [pkiPath("etcd", "crt"), pkiPath("etcd", "key"), pkiPath("ca", "crt")],
  apiserver: [pkiPath("apiserver", "crt"), pkiPath("apiserver", "key"), pkiPath("ca", "crt")],
};

const etcdUrl = `https://${loopback}:${ports.etcd}`;

/**
 * Returns all components.
 *
 * @param binary - Path of the binary. A new build has a new path, which restarts the components.
 */
export function components(binary: string): Record<ComponentName, Component> {
  const env = { UNITY_BUILD: binary };
  return {
    etcd: {
      name: "etcd",
      program: "etcd",
      args: flags({
        name: clusterName,
        "data-dir": statePath("etcd"),
        "listen-client-urls": etcdUrl,
        "advertise-client-urls": etcdUrl,
        "listen-peer-urls": `https://${loopback}:${ports.etcdPeer}`,
        "initial-advertise-peer-urls": `https://${loopback}:${ports.etcdPeer}`,
        "initial-cluster": `${clusterName}=https://${loopback}:${ports.etcdPeer}`,
        "cert-file": pkiPath("etcd", "crt"),
        "key-file": pkiPath("etcd", "key"),
        "trusted-ca-file": pkiPath("ca", "crt"),
        "client-cert-auth": true,
        "peer-cert-file": pkiPath("etcd", "crt"),
        "peer-key-file": pkiPath("etcd", "key"),
        "peer-trusted-ca-file": pkiPath("ca", "crt"),
        "peer-client-cert-auth": true,
        "unsafe-no-fsync": true,
        "auto-compaction-retention": "1h",
      }),
      env: { ETCD_UNSUPPORTED_ARCH: "arm64" }, // Required by Debian's etcd 3.4 on that architecture
      files: certificates.etcd,
      listens: [
        [loopback, ports.etcd],
        [loopback, ports.etcdPeer],
      ],
    },
    containerd: {
      name: "containerd",
      program: "containerd",
      args: ["--config", configPaths.containerd],
      files: [configPaths.containerd],
      listens: [],
    },
    apiserver: {
      name: "apiserver",
      program: program("kube-apiserver"),
      args: flags({
        "etcd-servers": etcdUrl,
        "etcd-cafile": pkiPath("ca", "crt"),
        "etcd-certfile": pkiPath("etcd", "crt"),
        "etcd-keyfile": pkiPath("etcd", "key"),
        "bind-address": loopback,
        "secure-port": ports.apiserver,
        "advertise-address": network.nodeAddress,
        "service-cluster-ip-range": network.serviceSubnet,
        "endpoint-reconciler-type": "none",
        "tls-cert-file": pkiPath("apiserver", "crt"),
        "tls-private-key-file": pkiPath("apiserver", "key"),
        "client-ca-file": pkiPath("ca", "crt"),
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-signing-key-file": pkiPath("service-account", "key"),
        "service-account-key-file": pkiPath("service-account", "pub"),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "kubelet-client-certificate": pkiPath("admin", "crt"),
        "kubelet-client-key": pkiPath("admin", "key"),
        "kubelet-certificate-authority": pkiPath("ca", "crt"),
        "kubelet-preferred-address-types": "InternalIP",
        "shutdown-watch-termination-grace-period": "0s",
        profiling: false,
      }),
      env,
      files: certificates.apiserver,
      listens: [[loopback, ports.apiserver]],
    },
    "controller-manager": {
      name: "controller-manager",
      program: program("kube-controller-manager"),
      args: flags({
        ...kubeconfigFlags("controller-manager"),
        "service-account-private-key-file": pkiPath("service-account", "key"),
        "root-ca-file": pkiPath("ca", "crt"),
        "use-service-account-credentials": true,
        "bind-address": loopback,
        "secure-port": ports.controllerManager,
        "leader-elect": false,
        "kube-api-qps": 200,
        "kube-api-burst": 400,
        profiling: false,
      }),
      env,
      files: [componentKubeconfig("controller-manager")],
      listens: [[loopback, ports.controllerManager]],
    },
    scheduler: {
      name: "scheduler",
      program: program("kube-scheduler"),
      args: flags({
        ...kubeconfigFlags("scheduler"),
        "bind-address": loopback,
        "secure-port": ports.scheduler,
        "leader-elect": false,
        profiling: false,
      }),
      env,
      files: [componentKubeconfig("scheduler")],
      listens: [[loopback, ports.scheduler]],
    },
    kubelet: {
      name: "kubelet",
      program: program("kubelet"),
      args: flags({
        config: configPaths.kubelet,
        kubeconfig: componentKubeconfig("kubelet"),
        "hostname-override": clusterName,
        "node-ip": network.nodeAddress,
        "root-dir": statePath("kubelet"),
      }),
      env,
      files: [configPaths.kubelet, componentKubeconfig("kubelet")],
      listens: [
        [loopback, ports.kubeletHealth],
        [network.nodeAddress, ports.kubelet],
      ],
    },
    proxy: {
      name: "proxy",
      program: program("kube-proxy"),
      args: flags({ config: configPaths.proxy }),
      env,
      files: [configPaths.proxy, kubeconfigPath],
      listens: [
        [loopback, ports.proxyHealth],
        [loopback, ports.proxyMetrics],
      ],
    },
    coredns: {
      name: "coredns",
      program: program("coredns"),
      args: ["-conf", configPaths.coredns],
      env,
      files: [configPaths.coredns, kubeconfigPath],
      listens: [[network.nodeAddress, ports.dns]],
    },
    provisioner: {
      name: "provisioner",
      program: program("provisioner"),
      args: flags({ kubeconfig: kubeconfigPath, root: statePath("volumes") }),
      env,
      files: [kubeconfigPath],
      listens: [],
    },
  };
}

function kubeconfigFlags(name: "controller-manager" | "scheduler"): Record<string, string> {
  const path = componentKubeconfig(name);
  return { kubeconfig: path, "authentication-kubeconfig": path, "authorization-kubeconfig": path };
}
