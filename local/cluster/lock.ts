import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { commandLineOf, startTimeOf } from "./processes.ts";
import { waitFor } from "./progress.ts";

/** Longest wait for another command, which may be building Kubernetes. */
const waitSeconds = 1200;

/** Milliseconds of waiting after which the lock's holder is printed. */
const silentMilliseconds = 1000;

/**
 * Runs `work` while no other process holds the same lock. A lock whose holder has ended counts as free.
 *
 * @param path - Path of the lock file.
 * @param signal - Cancels the wait for the lock.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const timer = setTimeout(() => {
    const holder = readHolder(path);
    if (holder !== undefined) process.stderr.write(`${waitingText(path, holder)}\n`);
  }, silentMilliseconds);
  try {
    await waitFor(`lock ${path}`, async () => acquire(path), { timeoutSeconds: waitSeconds, signal });
  } finally {
    clearTimeout(timer);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Returns the line that names the holder of a lock. `holder` is the content of the lock file. */
export function waitingText(path: string, holder: string): string {
  const pid = Number(holder.split(" ")[0]);
  return `Waiting for lock ${path}, held by process ${pid} (${commandLineOf(pid)})`;
}

/** Returns the content of a lock file, or `undefined` if the lock is free. */
function readHolder(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Creates the lock file, and returns whether it did. Removes the file of a holder that has ended. */
function acquire(path: string): boolean {
  const holder = `${process.pid} ${startTimeOf(process.pid)}`;
  try {
    writeFileSync(path, holder, { flag: "wx" });
    return true;
  } catch {
    const [pid, startTime] = readHolder(path)?.split(" ") ?? [];
    if (startTime !== undefined && startTimeOf(Number(pid)) !== startTime) rmSync(path, { force: true });
    return false;
  }
}
