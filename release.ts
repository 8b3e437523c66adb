import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { head, type Lock } from "./migrations/lock.ts";
import { readLock, verifyLockedFiles } from "./migrations/read-lock.ts";
import { cutAt } from "./migrations/target.ts";
import type { Settings } from "./settings.ts";

/** What this checkout brings to a cluster: the reviewed chain, and the runner that applies it. */
export interface Release {
  /** The whole chain. */
  readonly lock: Lock;
  /** The revision that the database is to be at: the target that the stack names, else the chain's head. */
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
}

/** What of a stack's settings decides on where its release ends. */
type Goal = Pick<Settings, "targetRevision" | "migrationImage">;

/**
 * Reads the lock and compares it with the revision files beside it.
 *
 * @throws {pulumi.RunError} If the lock can't be read, has not exactly one head, is not what the files say, or lacks the
 * target.
 */
export function loadRelease(goal: Goal, projectFolder: string = import.meta.dirname): Release {
  const backend = join(projectFolder, "backend");
  try {
    const lock = readLock(join(backend, "migrations.lock.json"));
    const faults = verifyLockedFiles(lock, backend);
    if (faults.length > 0)
      throw new Error(`The revisions are not what the lock records:\n  - ${faults.join("\n  - ")}`);
    const runnerFiles = readRunner(join(projectFolder, "runner"));
    const last = head(lock);
    const target = goal.targetRevision ?? last;
    if (target !== last && goal.migrationImage === undefined) throw new Error(describeMissingImage(target, last));
    cutAt(lock, target); // says what there is, if it is none of the lock's
    return { lock, head: target, runnerFiles };
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

function describeMissingImage(target: string, last: string): string {
  return (
    `The target revision ${target} is not the lock's head ${last}, so two images are needed: ` +
    `unity:image, whose chain ends at ${target}, serves; unity:migrationImage, whose chain ends at ${last}, migrates. ` +
    "Mend: pulumi config set migrationImage <registry>/unity-backend:<tag>, " +
    "or go to the head: pulumi config rm targetRevision"
  );
}

/** @returns The files of the runner's folder, which travel together. */
function readRunner(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => /\.(py|sh)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
