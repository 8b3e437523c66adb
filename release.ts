import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { chainTables, head, type Lock } from "./migrations/lock.ts";
import { readLock, verifyLockedFiles } from "./migrations/read-lock.ts";

/** What this checkout brings to a cluster: the reviewed chain, and the runner that applies it. */
export interface Release {
  readonly lock: Lock;
  /** The chain's head. */
  readonly head: string;
  /** Names of the tables that the database has at the head. */
  readonly tables: readonly string[];
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
}

/**
 * Reads the lock and compares it with the revision files beside it.
 *
 * @throws {pulumi.RunError} If the lock can't be read, has not exactly one head, or is not what the files say.
 */
export function loadRelease(projectFolder: string = import.meta.dirname): Release {
  const backend = join(projectFolder, "backend");
  try {
    const lock = readLock(join(backend, "migrations.lock.json"));
    const faults = verifyLockedFiles(lock, backend);
    if (faults.length > 0)
      throw new Error(`The revisions are not what the lock records:\n  - ${faults.join("\n  - ")}`);
    const runnerFiles = readRunner(join(projectFolder, "runner"));
    return { lock, head: head(lock), tables: chainTables(lock), runnerFiles };
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** @returns The files of the runner's folder, which travel together. */
function readRunner(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
