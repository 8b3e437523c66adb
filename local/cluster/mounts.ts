import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../src/paths.ts";
import { run, succeeds } from "./run.ts";

/** Returns the mount point of a line of `/proc/self/mountinfo`: its fifth field, with octal escapes (proc(5)). */
function mountPointOf(line: string): string {
  const field = line.split(" ")[4] ?? "";
  return field.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
}

/** Returns the mount points below `folder`, the latest first. */
export function mountsBelow(folder: string, mountInfo = readFileSync("/proc/self/mountinfo", "utf8")): string[] {
  const points = mountInfo.split("\n").map(mountPointOf);
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

/**
 * Unmounts everything below the cache folder: root file systems and shared memory of containers, volumes, namespaces, and
 * mounts of killed image builds.
 */
export async function unmountAll(): Promise<void> {
  const points = mountsBelow(cacheRoot);
  if (points.length === 0) return;
  // A busy mount is detached, so that it does not block the others.
  await run("umount", ["--lazy", ...points]);
}

/** Whether an overlay can be mounted in a folder. Some file systems, such as an overlay itself, don't support it. */
export async function overlayWorks(folder: string): Promise<boolean> {
  const probe = mkdtempSync(join(folder, ".overlay-probe-"));
  const lower = join(probe, "lower");
  const upper = join(probe, "upper");
  const work = join(probe, "work");
  const merged = join(probe, "merged");
  for (const path of [lower, upper, work, merged]) mkdirSync(path);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  try {
    if (!(await succeeds("mount", ["-t", "overlay", "-o", options, "overlay", merged]))) return false;
    await run("umount", [merged]);
    return true;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
