import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { sendSignal } from "./children.ts";

/** How a suite's runner ended. */
export interface SuiteRun {
  readonly output: string;
  readonly exitCode: number;
  /** Processes that outlived the runner and were killed: their command lines. */
  readonly left: readonly string[];
}

/** Where a suite's runner runs, and what receives its output as it comes. */
export interface SuiteOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => void;
  /**
   * How long processes may take to end by themselves once the runner has ended.
   *
   * @defaultValue 5000
   */
  readonly graceMilliseconds?: number;
}

/** Marks a suite's processes, however deep and in whichever process group. */
const markVariable = "UNITY_TEST_SUITE";
/** How long the runner's output may still arrive after its end. */
const drainMilliseconds = 2000;

const running = new Set<ChildProcess>();

/** Sends a signal to the process groups of all suites that run. */
export function signalSuites(signal: NodeJS.Signals): void {
  for (const { pid } of running) signalGroup(pid, signal);
}

/**
 * Runs a suite's runner in a process group of its own. Returns in bounded time after the runner's end, even if a
 * process that it left holds its pipes open: what is left is killed and reported.
 */
export async function runSuiteProcess(command: readonly string[], options: SuiteOptions): Promise<SuiteRun> {
  const { cwd, print, graceMilliseconds = 5000 } = options;
  const [program = "", ...args] = command;
  const mark = `${markVariable}=${randomUUID()}`;
  const env = { ...options.env, [markVariable]: mark.slice(markVariable.length + 1) };
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      print(text);
    });
  }
  const closed = new Promise((resolve) => child.once("close", resolve));
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    const left = await endProcesses(mark, graceMilliseconds);
    signalGroup(child.pid, "SIGKILL");
    await Promise.race([closed, delay(drainMilliseconds)]);
    return { output, exitCode: code ?? 1, left };
  } finally {
    child.stdout.destroy();
    child.stderr.destroy();
    running.delete(child);
  }
}

/** Waits for the end of marked processes, and kills those that remain. */
async function endProcesses(mark: string, graceMilliseconds: number): Promise<readonly string[]> {
  const deadline = performance.now() + graceMilliseconds;
  while (markedPids(mark).length > 0 && performance.now() < deadline) await delay(50);
  const pids = markedPids(mark);
  const commands = pids.map(commandLine);
  for (const pid of pids) sendSignal(pid, "SIGKILL");
  return commands;
}

/** Ids of processes with the mark in their environment; none without `/proc`. */
function markedPids(mark: string): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  const hasMark = (pid: string) => readProcess(pid, "environ").split("\0").includes(mark);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter(hasMark)
    .map(Number);
}

function commandLine(pid: number): string {
  return `${pid} ${readProcess(String(pid), "cmdline").replaceAll("\0", " ").trim()}`;
}

/** Reads a file of a process; empty if the process has ended or belongs to another user. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) sendSignal(-pid, signal);
}
