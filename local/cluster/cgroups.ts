import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterName } from "./config.ts";

/**
 * Every process of the cluster lives below one control group of each hierarchy: the components and containerd's shims
 * in `system`, the pods in `kubepods`. So what is ours is known for certain, whatever became of pid files.
 */
const systemGroup = "system";

/** A mounted control group hierarchy. */
interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
}

/** @returns The hierarchies to use, from the text of `/proc/self/mounts`: all of version 1, else the one of version 2. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  const lines = mounts.split("\n").map((line) => line.split(" "));
  const of = (type: string) => lines.filter((fields) => fields[2] === type).map((fields) => fields[1] as string);
  const one = of("cgroup").map((mountPoint) => ({ mountPoint, version: 1 as const }));
  return one.length > 0 ? one : of("cgroup2").map((mountPoint) => ({ mountPoint, version: 2 as const }));
}

function hierarchies(): Hierarchy[] {
  return parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));
}

/** @returns Our control group's folder in each hierarchy. */
function ourGroups(): string[] {
  return hierarchies().map(({ mountPoint }) => join(mountPoint, clusterName));
}

/** Makes our control groups, with all controllers that the kubelet asks for. */
export function ensureGroups(): void {
  for (const { mountPoint, version } of hierarchies()) {
    if (version === 2) enableControllers(mountPoint);
    const group = makeGroup(mountPoint, clusterName);
    if (version === 2) enableControllers(group);
    makeGroup(group, systemGroup);
  }
}

function makeGroup(parent: string, name: string): string {
  const group = join(parent, name);
  mkdirSync(group, { recursive: true });
  // A cpuset group of version 1 takes no process until it has processors and memory nodes.
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const [from, to] = [join(parent, file), join(group, file)];
    if (existsSync(from) && existsSync(to) && readFileSync(to, "utf8").trim() === "")
      writeFileSync(to, readFileSync(from));
  }
  return group;
}

/** @throws If the group holds processes, as the root group of a container does: with the cause and the way out. */
function enableControllers(group: string): void {
  const controllers = readFileSync(join(group, "cgroup.controllers"), "utf8").trim().split(" ");
  const wanted = ["cpu", "cpuset", "memory", "pids", "hugetlb", "io"].filter((name) => controllers.includes(name));
  try {
    writeFileSync(join(group, "cgroup.subtree_control"), wanted.map((name) => `+${name}`).join(" "));
  } catch (error) {
    throw codeOf(error) === "EBUSY" ? new Error(busyText(group)) : error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** @returns What to do about a group whose controllers can't be enabled, since processes are in it (cgroups(7)). */
export function busyText(group: string): string {
  const aside = join(group, "init");
  return `The control group ${group} has processes of its own, so none below it can have controllers: this is a container with a control group namespace. Move its processes one level down, then run the same command again:\n  mkdir -p ${aside} && xargs -rn1 < ${join(group, "cgroup.procs")} > ${join(aside, "cgroup.procs")}`;
}

/** @returns What `read` returns; nothing if the group has vanished between being listed and being read. */
export function unlessGone<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENODEV") return [];
    throw error;
  }
}

/** Moves a process, and so every process that it starts, into our `system` group. */
export function adopt(pid: number): void {
  for (const group of ourGroups()) writeFileSync(join(group, systemGroup, "cgroup.procs"), String(pid));
}

/**
 * @param part Only those below this group of ours. @defaultValue All.
 * @returns The ids of the processes in our groups.
 */
export function ourProcesses(part: "kubepods" | "system" | "" = ""): number[] {
  const pids = ourGroups()
    .flatMap((group) => foldersBelow(join(group, part)))
    .flatMap((folder) => unlessGone(() => readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")))
    .filter((line) => line !== "");
  return [...new Set(pids.map(Number))];
}

/** @returns A folder and all below it, the deepest first. */
function foldersBelow(folder: string): string[] {
  return unlessGone(() => {
    const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...below.flatMap((entry) => foldersBelow(join(folder, entry.name))), folder];
  });
}

/** @returns Our control groups that exist. */
export function leftGroups(): string[] {
  return ourGroups().filter((group) => existsSync(group));
}

/** Removes our control groups; their processes must have ended. */
export function removeGroups(): void {
  for (const group of ourGroups()) for (const folder of foldersBelow(group)) rmdirSync(folder);
}
