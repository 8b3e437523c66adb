import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { importPauseImage } from "../images/pause.ts";
import { apiIsReady, askApi } from "./api.ts";
import { type Binaries, ensureBinaries } from "./build.ts";
import { ensureGroups } from "./cgroups.ts";
import { type Component, type ComponentName, components, programNames } from "./components.ts";
import { clusterName, containerdSocket, kubeconfigPath, ports, statePath } from "./config.ts";
import { writeConfiguration } from "./configuration.ts";
import { foreignProxies, ownProcesses, requireNoForeignProxy } from "./foreign.ts";
import {
  accepts,
  dnsAnswers,
  isHealthy,
  nodeIsReady,
  podsAreKnown,
  proxyIsReady,
  requireRunning,
  serviceAccountExists,
} from "./health.ts";
import { writeKubeconfigs } from "./kubeconfig.ts";
import { requireFreePorts } from "./listeners.ts";
import { withLock } from "./lock.ts";
import { ensureNetwork } from "./network.ts";
import { ensureCertificates } from "./pki.ts";
import { ensurePrerequisites } from "./prerequisites.ts";
import { runningPid, runsAsSpecified, startComponent } from "./processes.ts";
import { type Say, waitFor, withProgress } from "./progress.ts";
import { sweep } from "./stop.ts";

/** How to reach the running cluster. */
export interface LocalCluster {
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** Name of its context. */
  readonly context: string;
  /** Folder with `kubectl` of the cluster's own version. */
  readonly binaries: string;
}

/** Longest path of a Unix socket (unix(7)). */
const longestSocketPath = 107;

/**
 * Starts the one-node Kubernetes, or does nothing if it runs and is well. Builds it first if its inputs changed.
 * Whatever an earlier run left (processes, mounts, interfaces of a machine that was ended in the middle) is cleared away.
 * @throws With the way to mend it: no root, something missing, a port in use, a component that ended.
 */
export async function startCluster(): Promise<LocalCluster> {
  if (Buffer.byteLength(containerdSocket) > longestSocketPath)
    throw new Error(`${containerdSocket} is too long for a socket: set UNITY_CACHE to a shorter path`);
  await ensurePrerequisites();
  await withLock(statePath("lock"), async () => {
    const binaries = await ensureBinaries();
    await ensureCertificates();
    writeKubeconfigs();
    await writeConfiguration();
    const all = components(binaries.node);
    if (Object.values(all).every(runsAsSpecified) && (await isHealthy(Object.values(all)))) return;
    // Without these two nothing that still runs is of use: the containers' shims, and what was written since.
    const fromNothing = runningPid("etcd") === undefined || runningPid("containerd") === undefined;
    if (fromNothing) {
      const own = ownProcesses();
      requireNoForeignProxy(foreignProxies(own));
      await requireFreePorts(Object.values(all), own);
      await sweep();
    }
    const since = fromNothing ? Date.now() : 0;
    await withProgress("Starting the local cluster", (say) => startComponents(all, binaries, since, say)).catch(
      async (error: Error) => {
        if (fromNothing) await sweep(); // the logs stay
        throw error;
      },
    );
  });
  return { kubeconfig: kubeconfigPath, context: clusterName, binaries: statePath("bin") };
}

/** @param since Milliseconds; what the node said of itself and its pods before is out of date. */
async function startComponents(
  all: Record<ComponentName, Component>,
  binaries: Binaries,
  since: number,
  say: Say,
): Promise<void> {
  linkPrograms(binaries.node);
  ensureGroups();
  await ensureNetwork();
  await requireFreePorts(Object.values(all).filter((component) => runningPid(component.name) === undefined));

  const begun: Component[] = [];
  const begin = async (...names: ComponentName[]) => {
    await Promise.all(names.map((name) => startComponent(all[name])));
    begun.push(...names.map((name) => all[name]));
  };
  const wait = (what: string, check: () => Promise<boolean>) =>
    waitFor(what, check, { unless: () => requireRunning(begun) });

  say("etcd, containerd and the API server");
  await Promise.all([
    begin("etcd")
      .then(() => wait("etcd", () => accepts({ host: "127.0.0.1", port: ports.etcd })))
      .then(() => begin("apiserver"))
      .then(() => wait("the API server", apiIsReady)),
    begin("containerd")
      .then(() => wait("containerd", () => accepts({ path: containerdSocket })))
      .then(() => importPauseImage(binaries.pause)),
  ]);

  say("the node and its services");
  mkdirSync(statePath("volumes"), { recursive: true });
  await begin("kubelet", "controller-manager", "scheduler", "proxy", "coredns", "provisioner");
  await Promise.all([
    wait("the node's readiness", () => nodeIsReady(since)),
    wait("the default service account", serviceAccountExists),
    wait("DNS", dnsAnswers),
    wait("kube-proxy", proxyIsReady),
    wait("the storage class", applyStorageClass),
  ]);
  await wait("news of the pods of the last run", () => podsAreKnown(since));
}

/** Makes the names by which the binary is called. */
function linkPrograms(binary: string): void {
  mkdirSync(statePath("bin"), { recursive: true });
  for (const name of programNames) {
    const link = statePath("bin", name);
    rmSync(link, { force: true });
    symlinkSync(binary, link);
  }
}

/** The default storage class: a directory of this machine for each claim, deleted with it. */
async function applyStorageClass(): Promise<boolean> {
  const answer = await askApi("/apis/storage.k8s.io/v1/storageclasses/local?fieldManager=unity-local&force=true", {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "unity.local/directory",
    reclaimPolicy: "Delete",
    volumeBindingMode: "Immediate",
  });
  return answer.status === 200 || answer.status === 201;
}
