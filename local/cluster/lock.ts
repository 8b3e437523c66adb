import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { startTimeOf } from "./processes.ts";
import { waitFor } from "./progress.ts";

/** Longest wait for another command that starts or stops the cluster. */
const waitSeconds = 1200;

/**
 * Does `work` while no other process does work under the same lock. A lock whose holder has ended counts as free.
 * @param path The lock's file.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  await waitFor(`lock ${path}`, async () => take(path), { timeoutSeconds: waitSeconds });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  const holder = `${process.pid} ${startTimeOf(process.pid)}`;
  try {
    writeFileSync(path, holder, { flag: "wx" });
    return true;
  } catch {
    const [pid, startTime] = readFileSync(path, "utf8").split(" ");
    if (startTime !== undefined && startTimeOf(Number(pid)) !== startTime) rmSync(path, { force: true });
    return false;
  }
}
