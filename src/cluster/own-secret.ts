import * as pulumi from "@pulumi/pulumi";
import { ownerAnnotation } from "../manifests/names.ts";
import { messageOf, printable } from "../printable.ts";
import { currentOwner } from "./current-owner.ts";
import type { Kubectl } from "./kubectl.ts";
import { readSecretKeys } from "./secrets.ts";

/**
 * Verifies that a Secret that the program declares doesn't exist yet, or is the stack's own. Otherwise, the update would
 * overwrite its keys, and the destruction of the stack would delete it.
 *
 * @throws {pulumi.RunError} If another stack declares it or none does, or the cluster can't be queried.
 */
export async function requireOwnSecret(kubectl: Kubectl, name: string): Promise<void> {
  const secret = await readSecretKeys(kubectl, name).catch((error: unknown) => {
    throw new pulumi.RunError(printable(`can't read Secret ${name}: ${messageOf(error)}`));
  });
  const own = currentOwner();
  if (secret === undefined || own === undefined) return;
  const { owner, isOurs } = secret;
  // Those of an earlier version have no owner.
  if (owner === own || (owner === undefined && isOurs)) return;
  const { namespace } = kubectl;
  const belongs = owner === undefined ? "exists, and no stack declares it" : `belongs to stack ${owner}, not to ${own}`;
  throw new pulumi.RunError(
    [
      `Secret ${name} in namespace ${namespace} ${belongs}; no changes were made.`,
      "To use it as it is, pass its name as secretName instead of a URL. To overwrite it, run:",
      `kubectl annotate -n ${namespace} secret ${name} --overwrite ${ownerAnnotation}=${own}`,
    ].join("\n"),
  );
}
