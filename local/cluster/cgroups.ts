import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterName } from "./config.ts";

// All processes of the cluster run below one control group of each hierarchy: the components and containerd's shims in
// `system`, the pods in `kubepods`. This identifies them even if the records of started processes are lost.
const systemGroup = "system";

/** A mounted control group hierarchy. */
interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
}

/** Returns the hierarchies to use: all of version 1, or the one of version 2 if there are none. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  const fieldsOfMounts = mounts.split("\n").map((line) => line.split(" "));
  const hierarchiesOf = (type: string, version: 1 | 2): Hierarchy[] =>
    fieldsOfMounts.filter((fields) => fields[2] === type).map(([, mountPoint = ""]) => ({ mountPoint, version }));
  const version1 = hierarchiesOf("cgroup", 1);
  return version1.length > 0 ? version1 : hierarchiesOf("cgroup2", 2);
}

function hierarchies(): Hierarchy[] {
  return parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
}

/** Returns the cluster's control group in each hierarchy. */
function clusterGroups(): string[] {
  return hierarchies().map(({ mountPoint }) => join(mountPoint, clusterName));
}

/** Creates the cluster's control groups with the controllers that the kubelet requires. */
export function ensureGroups(): void {
  for (const { mountPoint, version } of hierarchies()) {
    if (version === 2) enableControllers(mountPoint);
    const group = ensureGroup(mountPoint, clusterName);
    if (version === 2) enableControllers(group);
    ensureGroup(group, systemGroup);
  }
}

function ensureGroup(parent: string, name: string): string {
  const group = join(parent, name);
  mkdirSync(group, { recursive: true });
  // A cpuset group of version 1 accepts processes only after its CPUs and memory nodes are set.
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const [from, to] = [join(parent, file), join(group, file)];
    if (existsSync(from) && existsSync(to) && readFileSync(to, "utf8").trim() === "")
      writeFileSync(to, readFileSync(from));
  }
  return group;
}

/** @throws If the group contains processes, as the root group of a container does. */
function enableControllers(group: string): void {
  const available = readFileSync(join(group, "cgroup.controllers"), "utf8").trim().split(" ");
  const required = ["cpu", "cpuset", "memory", "pids", "hugetlb", "io"].filter((name) => available.includes(name));
  try {
    writeFileSync(join(group, "cgroup.subtree_control"), required.map((name) => `+${name}`).join(" "));
  } catch (error) {
    if (codeOf(error) === "EBUSY") throw new Error(busyText(group));
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Returns the message for a group whose controllers can't be enabled because it contains processes (cgroups(7)). */
export function busyText(group: string): string {
  const child = join(group, "init");
  return (
    `can't enable controllers in control group ${group}: it contains processes (a container with its own control group namespace). ` +
    `Move them to a child group, then retry:\n` +
    `  mkdir -p ${child} && xargs -rn1 < ${join(group, "cgroup.procs")} > ${join(child, "cgroup.procs")}`
  );
}

/** Returns the result of `read`, or an empty list if the group vanished in the meantime. */
export function emptyIfVanished<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENODEV") return [];
    throw error;
  }
}

/** Moves a process to the `system` group. The processes that it starts will belong to the same group. */
export function moveToSystemGroup(pid: number): void {
  for (const group of clusterGroups()) writeFileSync(join(group, systemGroup, "cgroup.procs"), String(pid));
}

/**
 * Returns the ids of the processes in the cluster's control groups.
 *
 * @param part - Only the processes below this child group.
 */
export function groupProcesses(part: "kubepods" | "" = ""): number[] {
  const pids = new Set<number>();
  for (const folder of clusterGroups().flatMap((group) => foldersBelow(join(group, part)))) {
    const lines = emptyIfVanished(() => readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n"));
    for (const line of lines) if (line !== "") pids.add(Number(line));
  }
  return [...pids];
}

/** Returns a folder and all folders below it, the deepest first. */
function foldersBelow(folder: string): string[] {
  return emptyIfVanished(() => {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap((entry) => foldersBelow(join(folder, entry.name))), folder];
  });
}

/** Returns the cluster's control groups that exist. */
export function remainingGroups(): string[] {
  return clusterGroups().filter((group) => existsSync(group));
}

/** Removes the cluster's control groups. Their processes must have ended. */
export function removeGroups(): void {
  for (const group of clusterGroups()) for (const folder of foldersBelow(group)) rmdirSync(folder);
}
