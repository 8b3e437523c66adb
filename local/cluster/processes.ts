import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { groupProcesses, moveToSystemGroup } from "./cgroups.ts";
import type { Component } from "./components.ts";
import { containerdSocket, statePath } from "./config.ts";
import { configPaths } from "./configuration.ts";
import { waitFor } from "./progress.ts";

/** The record of a started process. */
interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process: distinguishes it from a later process with the same id. */
  readonly startTime: string;
  readonly bootId: string;
  /** Hash of the component's specification. */
  readonly spec: string;
}

function recordPath(name: string): string {
  return statePath("run", `${name}.json`);
}

/** Returns the path of a component's log. */
export function logPath(name: string): string {
  return statePath("log", `${name}.log`);
}

/** Returns the start time of a process in clock ticks, or `undefined` if it does not exist or is a zombie. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // The name before it may contain spaces.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Returns a hash of a component's program, arguments, environment, and files. */
function specOf(component: Component): string {
  const hash = createHash("sha256").update(JSON.stringify([component.program, component.args, component.env]));
  for (const file of component.files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Returns the process id of a component, or `undefined` if it is not running. */
export function runningPid(name: string): number | undefined {
  return readRecord(name)?.pid;
}

function readRecord(name: string): ProcessRecord | undefined {
  if (!existsSync(recordPath(name))) return undefined;
  try {
    const record = JSON.parse(readFileSync(recordPath(name), "utf8")) as ProcessRecord;
    const isRunning = record.bootId === bootId() && startTimeOf(record.pid) === record.startTime;
    return isRunning ? record : undefined;
  } catch {
    return undefined; // Truncated, because its writer was killed.
  }
}

/** Whether a component is running with exactly these arguments and files. */
export function runsAsSpecified(component: Component): boolean {
  return readRecord(component.name)?.spec === specOf(component);
}

/** Starts a component so that it outlives this program. Restarts it if it runs with other arguments. */
export async function startComponent(component: Component): Promise<void> {
  if (runsAsSpecified(component)) return;
  const previous = runningPid(component.name);
  if (previous !== undefined) await endProcesses([previous], 5);
  mkdirSync(statePath("log"), { recursive: true });
  mkdirSync(statePath("run"), { recursive: true });
  const log = openSync(logPath(component.name), "w");
  const child = spawn(component.program, component.args, {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: statePath(),
    env: { PATH: process.env.PATH, HOME: statePath(), ...component.env },
  });
  closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("spawn", () => resolve(child.pid as number));
  });
  try {
    moveToSystemGroup(pid);
    const startTime = startTimeOf(pid);
    if (startTime === undefined) throw new Error(`${component.name} exited; its log is ${logPath(component.name)}`);
    const record: ProcessRecord = { pid, startTime, bootId: bootId(), spec: specOf(component) };
    writeFileSync(recordPath(component.name), JSON.stringify(record));
  } catch (error) {
    child.kill("SIGKILL"); // Without a record, a later start would not find it.
    throw error;
  }
  child.unref();
}

/** Removes the records of all started processes. */
export function forgetProcesses(): void {
  rmSync(statePath("run"), { recursive: true, force: true });
}

/**
 * Returns the ids of the processes that match.
 *
 * @param matches - Whether a process matches, given its id and its arguments.
 * @param proc - Mount point of proc(5).
 */
export function findProcesses(matches: (pid: number, args: readonly string[]) => boolean, proc = "/proc"): number[] {
  const found: number[] = [];
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const args = readFileSync(join(proc, name, "cmdline"), "utf8").split("\0");
      if (matches(Number(name), args)) found.push(Number(name));
    } catch {
      // It has ended, is a kernel thread, or belongs to another user.
    }
  }
  return found;
}

/**
 * Whether a process belongs to the cluster: it runs the cluster's binary, or it is etcd, containerd, or a shim with a
 * path of the state folder among its arguments.
 */
function isClusterProcess(pid: number, args: readonly string[]): boolean {
  const [path = ""] = args;
  if (path.endsWith("kubectl")) return false; // Started by a user.
  if (readlinkSync(`/proc/${pid}/exe`).startsWith(cachePath("bin"))) return true;
  const paths = [`--data-dir=${statePath("etcd")}`, configPaths.containerd, containerdSocket];
  return /^(etcd|containerd.*)$/.test(basename(path)) && args.some((arg) => paths.includes(arg));
}

/** Returns the ids of the cluster's processes, even of those without a record or outside the control groups. */
export function clusterProcesses(): number[] {
  return [...new Set([...groupProcesses(), ...findProcesses(isClusterProcess)])];
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "exited";
  }
}

/** Returns the name of a process's program, or "exited". */
export function commandOf(pid: number): string {
  return readProc(pid, "comm");
}

/** Returns the program and arguments of a process, or "exited". */
export function commandLineOf(pid: number): string {
  return readProc(pid, "cmdline");
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Sends SIGTERM to processes, and SIGKILL after `graceSeconds`. Returns when all of them have ended. */
export async function endProcesses(pids: readonly number[], graceSeconds: number): Promise<void> {
  const startTimes = new Map(pids.map((pid) => [pid, startTimeOf(pid)]));
  const alive = () => pids.filter((pid) => startTimeOf(pid) !== undefined && startTimeOf(pid) === startTimes.get(pid));
  if (graceSeconds > 0) signalAll(alive(), "SIGTERM");
  const killAt = performance.now() + graceSeconds * 1000;
  const allEnded = async () => {
    const left = alive();
    if (performance.now() >= killAt) signalAll(left, "SIGKILL");
    return left.length === 0;
  };
  await waitFor(`processes ${pids.join(", ")} to end`, allEnded, { timeoutSeconds: graceSeconds + 60 });
}
