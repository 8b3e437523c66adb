import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { ourProcesses, removeGroups } from "./cgroups.ts";
import { clusterName, statePath } from "./config.ts";
import { ownProcesses } from "./foreign.ts";
import { accepts } from "./health.ts";
import { inventory } from "./inventory.ts";
import { withLock } from "./lock.ts";
import { unmountAll } from "./mounts.ts";
import { removeNetwork } from "./network.ts";
import { requireRoot } from "./prerequisites.ts";
import { end, forgetProcesses, runningPid } from "./processes.ts";
import { waitFor } from "./progress.ts";

/** How long the pods' processes have to end by themselves, such as a database that writes its last data. */
const podGraceSeconds = 4;

/**
 * Stops the local cluster: no process, mount, interface or rule of it stays; what it keeps for its next start does.
 * Where there is nothing to stop, it takes no root, and no Linux.
 * @throws If something stays nevertheless, naming it.
 */
export async function stopCluster(): Promise<void> {
  if (!existsSync(statePath())) return;
  if (process.getuid?.() !== 0 && (await inventory()).length === 0) return;
  requireRoot();
  await withLock(statePath("lock"), async () => {
    await sweep();
    const left = await inventory();
    if (left.length > 0)
      throw new Error(`Of the local cluster there is still\n  ${left.join("\n  ")}\nRun the same command again`);
  });
}

/** Ends every process of the cluster and removes whatever it made on the machine outside its state folder. */
export async function sweep(): Promise<void> {
  const kubelet = runningPid("kubelet");
  if (kubelet !== undefined) await end([kubelet], 0); // or it would start the pods' containers again
  await end(ourProcesses("kubepods"), podGraceSeconds);
  const state = ["containerd", "etcd"].flatMap((name) => runningPid(name) ?? []);
  const stateless = ownProcesses().filter((pid) => !state.includes(pid));
  await end(stateless, 0);
  await end(state, 3);
  await waitFor("the end of all processes", async () => {
    const left = ownProcesses();
    await end(left, 0);
    return left.length === 0;
  });
  await unmountAll();
  await removeNetwork();
  await waitFor("the end of all control groups", async () => {
    removeGroups();
    return true;
  });
  forgetProcesses();
  await removeTraces();
}

/** Removes what programs write to fixed places: the kubelet's links to logs, CNI's results, the shims' dead sockets. */
async function removeTraces(): Promise<void> {
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []).map((name) => join(folder, name));
  for (const link of list("/var/log/containers"))
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(statePath())) rmSync(link);
  const results = list("/var/lib/cni/results");
  for (const result of results.filter((path) => basename(path).startsWith(`${clusterName}-`))) {
    const container = basename(result).split("-").at(-2) as string;
    for (const path of results.filter((other) => other.includes(`-${container}-`))) rmSync(path, { force: true });
  }
  for (const path of list("/run/containerd/s")) if (!(await accepts({ path }))) rmSync(path, { force: true });
}
