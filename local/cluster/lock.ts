import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { commandLineOf, startTimeOf } from "./processes.ts";
import { waitFor } from "./progress.ts";

/** Longest wait for another command that starts or stops the cluster. */
const waitSeconds = 1200;

/** After this time of waiting it is said what for. */
const silentMilliseconds = 1000;

/**
 * Does `work` while no other process does work under the same lock. A lock whose holder has ended counts as free.
 * @param path The lock's file.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const timer = setTimeout(() => {
    const holder = holderOf(path);
    if (holder !== undefined) process.stderr.write(`${waitingText(path, holder)}\n`);
  }, silentMilliseconds);
  await waitFor(`lock ${path}`, async () => take(path), { timeoutSeconds: waitSeconds }).finally(() =>
    clearTimeout(timer),
  );
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * @param holder The text of a lock's file.
 * @returns Whom the lock is waited for.
 */
export function waitingText(path: string, holder: string): string {
  const pid = Number(holder.split(" ")[0]);
  return `Waiting for process ${pid} (${commandLineOf(pid)}), which holds ${path}, to end`;
}

/** @returns The text of a lock's file; `undefined` if it is free, be it since a moment. */
function holderOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function take(path: string): boolean {
  const holder = `${process.pid} ${startTimeOf(process.pid)}`;
  try {
    writeFileSync(path, holder, { flag: "wx" });
    return true;
  } catch {
    const [pid, startTime] = holderOf(path)?.split(" ") ?? [];
    if (startTime !== undefined && startTimeOf(Number(pid)) !== startTime) rmSync(path, { force: true });
    return false;
  }
}
