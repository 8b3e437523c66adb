import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { cutAt } from "../lockfile/chain.ts";
import { head, type Lock } from "../lockfile/lock.ts";
import { type MeasuredTimes, readTimes } from "../lockfile/measured-times.ts";
import { readLock, verifyLockedFiles } from "../lockfile/read-lock.ts";
import type { RunnerFilesOptions } from "../manifests/runner-files.ts";
import { configMapError, readRunnerFiles } from "../manifests/runner-files.ts";
import { lockFileName, projectRoot } from "../paths.ts";
import { messageOf } from "../printable.ts";
import type { Settings } from "../settings/settings.ts";

/** A reviewed chain and the runner that applies it. */
export interface Chain {
  /** The whole chain. */
  readonly lock: Lock;
  /** The revision to bring the database to. */
  readonly head: string;
  /** The runner's files, by name. */
  readonly runnerFiles: Readonly<Record<string, string>>;
  /** Times of revisions, if `rehearse --like` measured some. */
  readonly times?: MeasuredTimes | undefined;
}

/**
 * Loads a lockfile and verifies it against the revision files.
 *
 * @param appFolder - Folder of the app, which contains `migrations.lock.json`.
 * @returns The verified chain and the runner files.
 * @throws {pulumi.RunError} If the lockfile is invalid, doesn't have exactly one head, doesn't match the files, or doesn't
 *   fit into a ConfigMap.
 */
export function loadChain(appFolder: string): Chain {
  return asRunError(() => {
    const path = join(appFolder, lockFileName);
    const lock = readLock(path);
    const errors = verifyLockedFiles(lock, appFolder);
    if (errors.length > 0)
      throw new Error(`the revision files don't match the lockfile:\n  - ${errors.join("\n  - ")}`);
    const chain = { lock, head: head(lock), runnerFiles: readRunnerFiles(), times: readTimes(path) };
    requireSize(chain);
    return chain;
  });
}

/** The chain of this checkout. Its `head` is the target revision of the stack (default: the chain's head). */
export type Release = Chain;

/** The settings that determine the head of a release. */
type HeadSettings = Pick<Settings, "targetRevision" | "migrationImage">;

/**
 * Loads the lockfile of this checkout and verifies it against the revision files.
 *
 * @throws {pulumi.RunError} If the lockfile is invalid, doesn't have exactly one head, doesn't match the files, or lacks
 *   the target revision.
 */
export function loadRelease(settings: HeadSettings): Release {
  const chain = loadChain(join(projectRoot, "backend"));
  return asRunError(() => {
    const last = chain.head;
    const target = settings.targetRevision ?? last;
    if (target !== last && settings.migrationImage === undefined) throw new Error(describeMissingImage(target, last));
    return chainTo(chain, target);
  });
}

/**
 * Returns a chain whose head is a revision of its lockfile.
 *
 * @throws {pulumi.RunError} If the lockfile lacks the revision, or the chain doesn't fit into a ConfigMap.
 */
export function chainTo(chain: Chain, target: string): Chain {
  return asRunError(() => {
    cutAt(chain.lock, target); // throws if the lockfile lacks the target
    if (target !== chain.head) requireSize({ ...chain, targetRevision: target });
    return { ...chain, head: target };
  });
}

function describeMissingImage(target: string, last: string): string {
  return [
    `missing unity:migrationImage: unity:targetRevision ${target} is not the head ${last} of the lockfile.`,
    `unity:image must be a release whose head is ${target}, and unity:migrationImage one whose head is ${last}.`,
    "Run: pulumi config set migrationImage <registry>/unity-backend:<tag>",
    "Or, to migrate to the head, run: pulumi config rm targetRevision",
  ].join("\n");
}

/** @throws {Error} If a chain doesn't fit into a ConfigMap. */
function requireSize(options: RunnerFilesOptions): void {
  const error = configMapError(options);
  if (error !== null) throw new Error(error);
}

/** Runs `work`. Rethrows its error as a `pulumi.RunError`, which is printed without a stack trace. */
function asRunError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new pulumi.RunError(messageOf(error));
  }
}
