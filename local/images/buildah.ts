import { mkdirSync } from "node:fs";
import { cachePath } from "../../src/paths.ts";
import { overlayWorks } from "../cluster/mounts.ts";
import { ask, run } from "../cluster/run.ts";

/** @returns The arguments that keep buildah's storage in the cache folder, apart from any other of the machine. */
async function storage(): Promise<string[]> {
  const root = cachePath("images", "storage");
  mkdirSync(root, { recursive: true });
  const driver = (await overlayWorks(root)) ? "overlay" : "vfs";
  return ["--root", root, "--runroot", cachePath("images", "run"), "--storage-driver", driver];
}

/** Runs buildah on the project's own storage. */
export async function buildah(args: readonly string[], onLine?: (line: string) => void): Promise<string> {
  const env = { ...process.env, BUILDAH_ISOLATION: "chroot" };
  return run("buildah", [...(await storage()), ...args], { env, onLine });
}

/** @returns Whether the project's storage has an image. */
export async function isBuilt(reference: string): Promise<boolean> {
  return (await ask("buildah", [...(await storage()), "images", "--quiet", reference])).trim() !== "";
}
