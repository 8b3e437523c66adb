import { join } from "node:path";
import { cutAt } from "../lockfile/chain.ts";
import { projectRoot } from "../paths.ts";
import type { Settings } from "../settings/settings.ts";
import { asRunError, type Chain, loadChain } from "./load-chain.ts";

/** The chain of this checkout. Its `head` is the target revision of the stack (default: the chain's head). */
export type Release = Chain;

/** The settings that determine the head of a release. */
type TargetOptions = Pick<Settings, "targetRevision" | "migrationImage">;

/**
 * Loads the lockfile of this checkout and verifies it against the revision files.
 *
 * @throws {pulumi.RunError} If the lockfile is invalid, doesn't have exactly one head, doesn't match the files, or lacks
 *   the target revision.
 */
export function loadRelease(targetOptions: TargetOptions): Release {
  const chain = loadChain(join(projectRoot, "backend"));
  return asRunError(() => {
    const { lock, head: last } = chain;
    const target = targetOptions.targetRevision ?? last;
    if (target !== last && targetOptions.migrationImage === undefined)
      throw new Error(describeMissingImage(target, last));
    cutAt(lock, target); // throws if the lockfile lacks the target
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
