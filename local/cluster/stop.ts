import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheRoot } from "../../src/paths.ts";
import { groupProcesses, remainingGroups, removeGroups } from "./cgroups.ts";
import { clusterName, statePath } from "./config.ts";
import { acceptsConnections } from "./health.ts";
import { withLock } from "./lock.ts";
import { mountsBelow, unmountAll } from "./mounts.ts";
import { remainingInterfaces, remainingRules, removeNetwork } from "./network.ts";
import { requireRoot } from "./prerequisites.ts";
import { clusterProcesses, commandOf, endProcesses, forgetProcesses, runningPid } from "./processes.ts";
import { waitFor } from "./progress.ts";

/** Grace period of the pods' processes, such as a database that writes its last data. */
const podGraceSeconds = 4;

/**
 * Stops the local cluster and removes its processes, mounts, interfaces, and rules. Keeps its data for the next start.
 * Requires root and Linux only if there is something to stop.
 *
 * @throws If something is left.
 */
export async function stopCluster(): Promise<void> {
  if (!existsSync(statePath())) return;
  if (process.getuid?.() !== 0 && (await inventory()).length === 0) return;
  requireRoot();
  await withLock(statePath("lock"), async () => {
    await removeAll();
    const left = await inventory();
    if (left.length === 0) return;
    throw new Error(
      `the local cluster is not completely stopped:\n  ${left.join("\n  ")}\nTo retry, run the same command`,
    );
  });
}

/**
 * Returns everything that the cluster has on this machine outside its state folder, each as `kind name`. Network
 * namespaces are mounts below the cache folder.
 */
export async function inventory(): Promise<string[]> {
  return [
    ...clusterProcesses().map((pid) => `process ${pid} (${commandOf(pid)})`),
    ...mountsBelow(cacheRoot).map((point) => `mount ${point}`),
    ...(await remainingInterfaces()).map((name) => `interface ${name}`),
    ...(await remainingRules()).map((rule) => `rule ${rule}`),
    ...remainingGroups().map((group) => `control group ${group}`),
  ];
}

/** Ends all processes of the cluster and removes everything that it has on this machine outside its state folder. */
export async function removeAll(): Promise<void> {
  const kubelet = runningPid("kubelet");
  if (kubelet !== undefined) await endProcesses([kubelet], 0); // It would restart the pods' containers.
  await endProcesses(groupProcesses("kubepods"), podGraceSeconds);
  const stateful = ["containerd", "etcd"].map(runningPid).filter((pid) => pid !== undefined);
  const stateless = clusterProcesses().filter((pid) => !stateful.includes(pid));
  await endProcesses(stateless, 0);
  await endProcesses(stateful, 3);
  await waitFor("all processes to end", async () => {
    const left = clusterProcesses();
    await endProcesses(left, 0);
    return left.length === 0;
  });
  await unmountAll();
  await removeNetwork();
  await waitFor("all control groups to be removed", async () => {
    removeGroups();
    return true;
  });
  forgetProcesses();
  await removeTraces();
}

function entriesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Removes what programs write outside the state folder: the kubelet's links to logs, CNI results, sockets of shims. */
async function removeTraces(): Promise<void> {
  for (const link of entriesOf("/var/log/containers"))
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(statePath())) rmSync(link);

  const results = entriesOf("/var/lib/cni/results");
  for (const result of results) {
    if (!basename(result).startsWith(`${clusterName}-`)) continue;
    const container = basename(result).split("-").at(-2);
    for (const path of results) if (path.includes(`-${container}-`)) rmSync(path, { force: true });
  }

  for (const socket of entriesOf("/run/containerd/s"))
    if (!(await acceptsConnections({ path: socket }))) rmSync(socket, { force: true });
}
