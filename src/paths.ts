import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The project's folder, which contains `Pulumi.yaml`. */
export const projectRoot = dirname(import.meta.dirname);

/** Name of the lockfile in an app's folder. */
export const lockFileName = "migrations.lock.json";

/** The lockfile of this checkout's chain. */
export const lockFile = join(projectRoot, "backend", lockFileName);

/**
 * Returns the folder of everything that is generated and kept between runs: `PULUMI_ALEMBIC_CACHE`, by default
 * `pulumi-alembic` in the user's cache folder (https://specifications.freedesktop.org/basedir-spec/latest/). If only the
 * folder of an earlier version exists, it is that one: environments, builds, and running clusters in it contain its path.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv, home: string): string {
  const { PULUMI_ALEMBIC_CACHE: own, XDG_CACHE_HOME: caches = join(home, ".cache") } = environment;
  if (own !== undefined) return own;
  const [folder, earlier] = [join(caches, "pulumi-alembic"), join(caches, "unity-migrations")];
  return existsSync(earlier) && !existsSync(folder) ? earlier : folder;
}

/** Folder of everything that is generated and kept between runs. */
export const cacheRoot = cacheFolder(process.env, homedir());

/** Returns a path in {@link cacheRoot}. */
export function cachePath(...parts: string[]): string {
  return join(cacheRoot, ...parts);
}

/** Where Node keeps what it has compiled. */
export const compileCache = cachePath("compiled");
