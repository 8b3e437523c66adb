import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { head, type Lock } from "../lockfile/lock.ts";
import { readLock, verifyLockedFiles } from "../lockfile/read-lock.ts";
import { projectRoot } from "../paths.ts";

/** A reviewed chain and the runner that applies it. */
export interface Chain {
  /** The whole chain. */
  readonly lock: Lock;
  /** The revision to bring the database to. */
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
}

/**
 * Loads a lockfile and verifies it against the revision files.
 *
 * @param appFolder - Directory that contains `alembic.ini` and `migrations.lock.json`.
 * @returns The verified chain and the runner files.
 * @throws {pulumi.RunError} If the lockfile is invalid, doesn't have exactly one head, or doesn't match the files.
 */
export function loadChain(appFolder: string): Chain {
  return asRunError(() => {
    const lock = readLock(join(appFolder, "migrations.lock.json"));
    const errors = verifyLockedFiles(lock, appFolder);
    if (errors.length > 0)
      throw new Error(`the revision files don't match the lockfile:\n  - ${errors.join("\n  - ")}`);
    return { lock, head: head(lock), runnerFiles: readRunner(join(projectRoot, "src", "runner")) };
  });
}

/** Runs `work`. Rethrows its error as a `pulumi.RunError`, which is printed without a stack trace. */
export function asRunError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the runner's files, by name. */
function readRunner(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
