import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { head, type Lock } from "../lockfile/lock.ts";
import { readLock, verifyLockedFiles } from "../lockfile/read-lock.ts";
import { projectRoot } from "../paths.ts";

/** A reviewed chain of revisions, and the runner that applies it. */
export interface Chain {
  /** The whole chain. */
  readonly lock: Lock;
  /** The revision that the database is to be at. */
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
}

/**
 * Reads an app's lock and compares it with the revision files beside it.
 *
 * @param appFolder Where `alembic.ini` and `migrations.lock.json` lie.
 * @throws {pulumi.RunError} If the lock can't be read, has not exactly one head, or is not what the files say.
 */
export function loadChain(appFolder: string): Chain {
  return asRunError(() => {
    const lock = readLock(join(appFolder, "migrations.lock.json"));
    const errors = verifyLockedFiles(lock, appFolder);
    if (errors.length > 0)
      throw new Error(`The revisions are not what the lock records:\n  - ${errors.join("\n  - ")}`);
    return { lock, head: head(lock), runnerFiles: readRunner(join(projectRoot, "src", "runner")) };
  });
}

/** @returns What `work` does. @throws {pulumi.RunError} What it throws, as a user's mistake. */
export function asRunError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** @returns The files of the runner's folder, which travel together. */
function readRunner(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
