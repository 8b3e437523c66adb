import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { importPauseImage } from "../images/import.ts";
import { apiIsReady, applyToApi } from "./api.ts";
import { type Binaries, ensureBinaries } from "./build.ts";
import { ensureGroups } from "./cgroups.ts";
import { type Component, type ComponentName, components, programNames } from "./components.ts";
import { clusterName, containerdSocket, kubeconfigPath, ports, statePath } from "./config.ts";
import { writeConfiguration } from "./configuration.ts";
import { otherKubeProxies, requireFreePorts, requireNoOtherKubeProxy } from "./conflicts.ts";
import {
  acceptsConnections,
  clusterIsHealthy,
  dnsIsReady,
  nodeIsReady,
  podsAreUpToDate,
  proxyIsReady,
  serviceAccountExists,
} from "./health.ts";
import { writeKubeconfigs } from "./kubeconfig.ts";
import { withLock } from "./lock.ts";
import { ensureNetwork } from "./network.ts";
import { ensureCertificates } from "./pki.ts";
import { ensurePrerequisites } from "./prerequisites.ts";
import { clusterProcesses, logPath, runningPid, runsAsSpecified, startComponent } from "./processes.ts";
import { type Report, waitFor, withProgress } from "./progress.ts";
import { runTogether } from "./run.ts";
import { removeAll } from "./stop.ts";

/** Connection to the running cluster. */
export interface LocalCluster {
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** Context of the kubeconfig. */
  readonly context: string;
  /** Folder of the cluster's `kubectl`. */
  readonly binaries: string;
}

/**
 * Starts the one-node Kubernetes cluster, unless it is running and healthy. Builds it first if its sources changed.
 * Removes what an earlier run left behind, such as processes, mounts, and interfaces.
 *
 * @throws If the machine can't run the cluster, or a component does not start.
 */
export async function startCluster(): Promise<LocalCluster> {
  await ensurePrerequisites();
  const binaries = await ensureBinaries();
  await withLock(statePath("lock"), () => startUnlessHealthy(binaries));
  return { kubeconfig: kubeconfigPath, context: clusterName, binaries: statePath("bin") };
}

async function startUnlessHealthy(binaries: Binaries): Promise<void> {
  await ensureCertificates();
  writeKubeconfigs();
  await writeConfiguration();
  const specified = components(binaries.node);
  const all = Object.values(specified);
  if (all.every(runsAsSpecified) && (await clusterIsHealthy())) return;

  // Without etcd and containerd, the other processes are useless: they depend on etcd's data or containerd's shims.
  const isFresh = runningPid("etcd") === undefined || runningPid("containerd") === undefined;
  if (isFresh) {
    const leftovers = clusterProcesses();
    requireNoOtherKubeProxy(otherKubeProxies(leftovers));
    await requireFreePorts(all, leftovers);
    await removeAll();
  }
  const since = isFresh ? Date.now() : 0;
  try {
    await withProgress("Starting the local cluster", (report) => startComponents(specified, binaries, since, report));
  } catch (error) {
    if (isFresh) await removeAll(); // Keeps the logs.
    throw error;
  }
}

/**
 * Starts the components and waits until the cluster is ready.
 *
 * @param since - Milliseconds; earlier statuses of the node and its pods are out of date.
 */
async function startComponents(
  specified: Record<ComponentName, Component>,
  binaries: Binaries,
  since: number,
  report: Report,
): Promise<void> {
  linkPrograms(binaries);
  ensureGroups();
  await ensureNetwork();
  await requireFreePorts(Object.values(specified).filter(({ name }) => runningPid(name) === undefined));

  const started: Component[] = [];
  const start = async (name: ComponentName) => {
    await startComponent(specified[name]);
    started.push(specified[name]);
  };
  const wait = (subject: string, poll: () => Promise<boolean>, signal?: AbortSignal) =>
    waitFor(subject, poll, { beforePoll: () => requireRunning(started), signal });

  report("etcd, containerd, and the API server");
  await runTogether(
    async (signal) => {
      await start("etcd");
      await wait("etcd", () => acceptsConnections({ host: "127.0.0.1", port: ports.etcd }), signal);
      await start("apiserver");
      await wait("the API server", apiIsReady, signal);
    },
    async (signal) => {
      await start("containerd");
      await wait("containerd", () => acceptsConnections({ path: containerdSocket }), signal);
      await importPauseImage(binaries.pause);
    },
  );

  report("the node and its services");
  mkdirSync(statePath("volumes"), { recursive: true });
  const others = ["kubelet", "controller-manager", "scheduler", "proxy", "coredns", "provisioner"] as const;
  await runTogether(...others.map((name) => () => start(name)));
  await runTogether(
    (signal) => wait("the node to be ready", () => nodeIsReady(since), signal),
    (signal) => wait("the default service account", serviceAccountExists, signal),
    (signal) => wait("DNS", dnsIsReady, signal),
    (signal) => wait("kube-proxy", proxyIsReady, signal),
    (signal) => wait("the storage class", applyStorageClass, signal),
  );
  await wait("the status of earlier pods", () => podsAreUpToDate(since));
}

/** @throws If one of the components has ended, with the end of its log. */
function requireRunning(started: readonly Component[]): void {
  const ended = started.find(({ name }) => runningPid(name) === undefined);
  if (ended === undefined) return;
  const log = logPath(ended.name);
  const lastLines = readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n");
  throw new Error(`${ended.name} exited while the cluster started. Last lines of ${log}:\n${lastLines}`);
}

/** Creates the links that the binary is started by. */
function linkPrograms({ node, kubectl }: Binaries): void {
  mkdirSync(statePath("bin"), { recursive: true });
  for (const name of programNames) {
    const link = statePath("bin", name);
    rmSync(link, { force: true });
    symlinkSync(name === "kubectl" ? kubectl : node, link);
  }
}

/** Applies the default storage class: a directory of this machine for each claim, deleted with it. */
async function applyStorageClass(): Promise<boolean> {
  const path = "/apis/storage.k8s.io/v1/storageclasses/local?fieldManager=unity-local&force=true";
  const response = await applyToApi(path, {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "unity.local/directory",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
  });
  return response.status === 200 || response.status === 201;
}
