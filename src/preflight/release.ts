import { join } from "node:path";
import { projectRoot } from "../paths.ts";
import { cutAt } from "../plan/target.ts";
import type { Settings } from "../settings/settings.ts";
import { asRunError, type Chain, loadChain } from "./load-chain.ts";

/** What this checkout brings to a cluster. Its `head`: the target that the stack names, else the chain's. */
export type Release = Chain;

/** What of a stack's settings decides on where its release ends. */
type TargetOptions = Pick<Settings, "targetRevision" | "migrationImage">;

/**
 * Reads the lock and compares it with the revision files beside it.
 *
 * @throws {pulumi.RunError} If the lock can't be read, has not exactly one head, is not what the files say, or lacks the
 * target.
 */
export function loadRelease(targetOptions: TargetOptions): Release {
  const chain = loadChain(join(projectRoot, "backend"));
  return asRunError(() => {
    const { lock, head: last } = chain;
    const target = targetOptions.targetRevision ?? last;
    if (target !== last && targetOptions.migrationImage === undefined)
      throw new Error(describeMissingImage(target, last));
    cutAt(lock, target); // says what there is, if it is none of the lock's
    return { ...chain, head: target };
  });
}

function describeMissingImage(target: string, last: string): string {
  return (
    `The target revision ${target} is not the lock's head ${last}, so two images are needed: ` +
    `unity:image, whose chain ends at ${target}, serves; unity:migrationImage, whose chain ends at ${last}, migrates. ` +
    "Mend: pulumi config set migrationImage <registry>/unity-backend:<tag>, " +
    "or go to the head: pulumi config rm targetRevision"
  );
}
