import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter } from "node:path";
import { redact } from "../../src/cluster/kubectl.ts";

/** System folders that a user's PATH may lack. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Signals that end this process, and with it the programs that it runs. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds between SIGTERM and SIGKILL. */
const killAfter = 10_000;

/** Appends the system folders that a PATH lacks. */
export function withSystemFolders(path: string): string {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  for (const folder of systemFolders) if (!folders.includes(folder)) folders.push(folder);
  return folders.join(delimiter);
}

// Everything in this folder that runs a program imports this module, and the programs inherit the variable.
process.env.PATH = withSystemFolders(process.env.PATH ?? "");

/** The error of a program that failed or could not be started. */
class ProgramError extends Error {
  override name = "ProgramError";
  /** Whether the program is not installed. */
  readonly isMissing: boolean;

  constructor(command: string, args: readonly string[], reason: string, output: string, isMissing = false) {
    const lastLines = output.trim().split("\n").slice(-20).join("\n");
    super(redact(`${[command, ...args].join(" ")}: ${reason}\n${lastLines}`));
    this.isMissing = isMissing;
  }
}

/** The error of work that was canceled: by a signal to this process, or because a task beside it failed. */
export class CanceledError extends Error {
  override name = "CanceledError";

  constructor() {
    super("canceled");
  }
}

/** @throws {CanceledError} If `signal` was aborted. */
export function throwIfCanceled(signal?: AbortSignal): void {
  if (signal?.aborted) throw new CanceledError();
}

const running = new Set<ChildProcess>();
const canceled = new WeakSet<ChildProcess>();

/** Cancels the running programs. Their callers then fail and clean up, which ends this process. */
function interrupt(signal: NodeJS.Signals): void {
  process.once("exit", () => {
    process.exitCode = 128 + constants.signals[signal];
  });
  for (const child of running) cancel(child);
}

function track(child: ChildProcess): void {
  if (running.size === 0) for (const signal of endingSignals) process.once(signal, interrupt);
  running.add(child);
}

function untrack(child: ChildProcess): void {
  running.delete(child);
  if (running.size === 0) for (const signal of endingSignals) process.off(signal, interrupt);
}

/** Ends a program and the programs that it started. */
function cancel(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  canceled.add(child);
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), killAfter);
  child.once("close", () => clearTimeout(timer));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of its processes have ended.
  }
}

/** Options of {@link run}. */
export interface RunOptions {
  /** @defaultValue The environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** @defaultValue The working directory of this process. */
  readonly cwd?: string;
  /** Text for standard input. */
  readonly input?: string;
  /** Receives each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** Cancels the command. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command and returns its standard output. The command and the programs that it starts end with this process.
 *
 * @throws {ProgramError} If the command fails, with the end of its standard error and without passwords of URLs.
 * @throws {CanceledError} If the command was canceled.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { env, cwd, input = "", onLine, signal } = options;
  throwIfCanceled(signal);
  return new Promise((resolve, reject) => {
    // In a process group of its own, so that the programs that it starts can be ended with it.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    const onAbort = () => cancel(child);
    track(child);
    signal?.addEventListener("abort", onAbort, { once: true });

    let stdout = "";
    let stderr = "";
    const reportLines = (text: string) => {
      for (const line of text.split(/[\r\n]+/)) if (line !== "") onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      reportLines(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      reportLines(text);
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(new ProgramError(command, args, error.message, stderr, error.code === "ENOENT")),
    );
    child.on("close", (code, endedBy) => {
      untrack(child);
      signal?.removeEventListener("abort", onAbort);
      if (canceled.has(child)) reject(new CanceledError());
      else if (code === 0) resolve(stdout);
      else reject(new ProgramError(command, args, endedBy ?? `exit code ${code}`, stderr || stdout));
    });
    child.stdin.on("error", () => {}); // A command that reads nothing closes it.
    child.stdin.end(input);
  });
}

/** Returns the standard output of a command, or `undefined` if it fails. Throws if the program is not installed. */
async function attempt(command: string, args: readonly string[], options?: RunOptions): Promise<string | undefined> {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (error instanceof ProgramError && !error.isMissing) return undefined;
    throw error;
  }
}

/**
 * Runs a query and returns its standard output, or "" if it fails because there is nothing to show.
 *
 * @throws {ProgramError} If the program is not installed.
 */
export async function outputOf(command: string, args: readonly string[]): Promise<string> {
  return (await attempt(command, args)) ?? "";
}

/**
 * Runs a command and returns whether it succeeded.
 *
 * @throws {ProgramError} If the program is not installed.
 */
export async function succeeds(command: string, args: readonly string[], options?: RunOptions): Promise<boolean> {
  return (await attempt(command, args, options)) !== undefined;
}

/**
 * Runs tasks at the same time. If one fails, the others are canceled, and all have ended when this returns.
 *
 * @throws The error of the task that failed first.
 */
export async function runTogether(...tasks: readonly ((signal: AbortSignal) => Promise<unknown>)[]): Promise<void> {
  const controller = new AbortController();
  const attempts = tasks.map(async (task) => {
    try {
      await task(controller.signal);
    } catch (error) {
      controller.abort(error); // Only the first call has an effect.
    }
  });
  await Promise.all(attempts);
  controller.signal.throwIfAborted();
}
