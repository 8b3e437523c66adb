import { readFileSync } from "node:fs";
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
  /** Python source of the runner. */
  readonly runnerSource: string;
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
    const runnerSource = readFileSync(join(projectFolder, "runner", "migrate.py"), "utf8");
    return { lock, head: head(lock), tables: chainTables(lock), runnerSource };
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}
