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
import { basename } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { adopt } from "./cgroups.ts";
import type { Component } from "./components.ts";
import { containerdSocket, statePath } from "./config.ts";
import { configPaths } from "./configuration.ts";

/** What is known of a started process. The start time tells it from a later process with the same id. */
interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of proc(5)'s `stat`: clock ticks since the machine started. */
  readonly startTime: string;
  readonly bootId: string;
  /** Hash of what was run. */
  readonly spec: string;
}

function recordPath(name: string): string {
  return statePath("run", `${name}.json`);
}

/** @returns The path of a component's log. */
export function logPath(name: string): string {
  return statePath("log", `${name}.log`);
}

/** @returns When a process started, in ticks; undefined if there is none or it has ended and only waits to be reaped. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold anything
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** @returns A hash of a component's program and arguments and of the files it reads. */
function specOf(component: Component): string {
  const hash = createHash("sha256").update(JSON.stringify([component.program, component.args, component.env]));
  for (const file of component.files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** @returns The id of a component's running process; undefined if it doesn't run. */
export function runningPid(name: string): number | undefined {
  return readRecord(name)?.pid;
}

function readRecord(name: string): ProcessRecord | undefined {
  if (!existsSync(recordPath(name))) return undefined;
  try {
    const record = JSON.parse(readFileSync(recordPath(name), "utf8")) as ProcessRecord;
    return record.bootId === bootId() && startTimeOf(record.pid) === record.startTime ? record : undefined;
  } catch {
    return undefined; // cut short by the end of whoever wrote it
  }
}

/** @returns Whether a component runs, with just these arguments and files. */
export function runsAsSpecified(component: Component): boolean {
  return readRecord(component.name)?.spec === specOf(component);
}

/** Starts a component so that it outlives this program; one that runs with other arguments is ended first. */
export async function startComponent(component: Component): Promise<void> {
  if (runsAsSpecified(component)) return;
  const old = runningPid(component.name);
  if (old !== undefined) await end([old], 5);
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
  adopt(pid);
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw new Error(`${component.name} ended at once: see ${logPath(component.name)}`);
  const record: ProcessRecord = { pid, startTime, bootId: bootId(), spec: specOf(component) };
  writeFileSync(recordPath(component.name), JSON.stringify(record));
  child.unref();
}

/** Forgets all started processes. */
export function forgetProcesses(): void {
  rmSync(statePath("run"), { recursive: true, force: true });
}

/**
 * @returns Ids of the cluster's processes found without any record or control group: by the binary they run, or by a
 * path of the state folder that only etcd, containerd and its shims are given.
 */
export function processesByCommand(): number[] {
  const marks = [`--data-dir=${statePath("etcd")}`, configPaths.containerd, containerdSocket];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        if (argv[0]?.endsWith("kubectl")) return false; // a user's
        const ownBinary = readlinkSync(`/proc/${pid}/exe`).startsWith(cachePath("bin"));
        const program = basename(argv[0] ?? "");
        return ownBinary || (/^(etcd|containerd.*)$/.test(program) && argv.some((word) => marks.includes(word)));
      } catch {
        return false; // ended, or a thread of the kernel
      }
    })
    .map(Number);
}

/** @returns The name of a process's program; "ended" if there is none. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "ended";
  }
}

/** @returns A process's program and arguments; "ended" if there is none. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
  } catch {
    return "ended";
  }
}

/** Sends a signal; a process that has ended already is no error. */
function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // has ended
    }
  }
}

/** Asks processes to end, kills them after `graceSeconds`, and returns when none of them runs. */
export async function end(pids: readonly number[], graceSeconds: number): Promise<void> {
  const known = pids.map((pid) => [pid, startTimeOf(pid)] as const);
  const alive = () =>
    known.filter(([pid, start]) => start !== undefined && startTimeOf(pid) === start).map(([pid]) => pid);
  if (graceSeconds > 0) signal(alive(), "SIGTERM");
  const killAt = performance.now() + graceSeconds * 1000;
  while (alive().length > 0) {
    if (performance.now() >= killAt) signal(alive(), "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
