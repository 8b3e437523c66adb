import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../src/paths.ts";
import { run } from "./run.ts";

/**
 * @param mountInfo Text of `/proc/self/mountinfo` (proc(5): the fifth field is the mount point).
 * @returns The mount points below `folder`, the latest mounted first.
 */
export function mountsBelow(folder: string, mountInfo = readFileSync("/proc/self/mountinfo", "utf8")): string[] {
  return mountInfo
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
    )
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
}

/**
 * Unmounts everything below the cache folder: containers' root file systems, shared memory, pods' volumes, namespaces,
 * and what an image build that was killed left.
 */
export async function unmountAll(): Promise<void> {
  const points = mountsBelow(cacheRoot);
  if (points.length === 0) return;
  // One that is still busy for a moment is detached, so that the rest goes on.
  await run("umount", ["--lazy", ...points]);
}

/** @returns Whether an overlay can be mounted in a folder: not on every file system, such as an overlay itself. */
export async function overlayWorks(folder: string): Promise<boolean> {
  const probe = mkdtempSync(join(folder, ".overlay-probe-"));
  const parts = ["lower", "upper", "work", "merged"].map((name) => join(probe, name));
  for (const part of parts) mkdirSync(part, { recursive: true });
  const [lower, upper, work, merged] = parts as [string, string, string, string];
  try {
    await run("mount", [
      "-t",
      "overlay",
      "-o",
      `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      "overlay",
      merged,
    ]);
    await run("umount", [merged]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
