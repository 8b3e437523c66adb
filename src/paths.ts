import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The project's folder, which contains `Pulumi.yaml`. */
export const projectRoot = dirname(import.meta.dirname);

/** The lockfile of this checkout's chain. */
export const lockFile = join(projectRoot, "backend", "migrations.lock.json");

/**
 * Folder of everything that is generated and kept between runs: `UNITY_CACHE`, by default `unity-migrations` in the
 * user's cache folder (https://specifications.freedesktop.org/basedir-spec/latest/).
 */
export const cacheRoot =
  process.env.UNITY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "unity-migrations");

/** Returns a path in {@link cacheRoot}. */
export function cachePath(...parts: string[]): string {
  return join(cacheRoot, ...parts);
}

/** Where Node keeps what it has compiled. */
export const compileCache = cachePath("compiled");
