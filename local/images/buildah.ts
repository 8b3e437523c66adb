import { mkdirSync } from "node:fs";
import { cachePath } from "../../src/paths.ts";
import { overlayWorks } from "../cluster/mounts.ts";
import { outputOf, type RunOptions, run } from "../cluster/run.ts";

/** Returns the arguments that keep buildah's storage in the cache folder, separate from the machine's. */
async function storageArgs(): Promise<string[]> {
  const root = cachePath("images", "storage");
  mkdirSync(root, { recursive: true });
  const driver = (await overlayWorks(root)) ? "overlay" : "vfs";
  return ["--root", root, "--runroot", cachePath("images", "run"), "--storage-driver", driver];
}

/** Runs buildah on the project's storage, and returns its standard output. */
export async function buildah(
  args: readonly string[],
  options: Pick<RunOptions, "onLine" | "signal"> = {},
): Promise<string> {
  const env = { ...process.env, BUILDAH_ISOLATION: "chroot" };
  return run("buildah", [...(await storageArgs()), ...args], { ...options, env });
}

/** Whether the project's storage contains an image. */
export async function isBuilt(reference: string): Promise<boolean> {
  const ids = await outputOf("buildah", [...(await storageArgs()), "images", "--quiet", reference]);
  return ids.trim() !== "";
}
