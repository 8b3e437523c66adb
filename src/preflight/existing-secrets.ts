import * as pulumi from "@pulumi/pulumi";
import type { Kubectl } from "../cluster/kubectl.ts";
import { readSecretKeys, type SecretKeys } from "../cluster/secrets.ts";
import { clusterName } from "../kubectl-command.ts";
import { type NeededSecret, neededSecrets, secretErrors } from "../manifests/database-secrets.ts";
import { caKey } from "../manifests/database-tls.ts";
import { printable } from "../printable.ts";
import type { Settings } from "../settings/settings.ts";

/** Returns the Secrets that must exist before a stack is deployed. */
export function existingSecrets({ databaseSecrets, database, databaseTls }: Settings): readonly NeededSecret[] {
  const secrets = neededSecrets(databaseSecrets, database.kind === "owned");
  const ca = databaseTls?.caSecretName;
  if (ca !== undefined) secrets.push({ setting: "databaseCaSecret", name: ca, keys: [caKey] });
  return secrets;
}

/**
 * Verifies that the existing Secrets have their keys. Values don't get into the program.
 *
 * @returns The version of the backend's Secret; `undefined` if the program creates it.
 * @throws {pulumi.RunError} If a Secret or a key is missing, with the command that creates it; or if Secrets can't be
 *   read.
 */
export async function existingSecretVersion(settings: Settings, kubectl: Kubectl): Promise<string | undefined> {
  const wanted = existingSecrets(settings);
  if (wanted.length === 0) return undefined;
  const found = await readSecrets(kubectl, wanted).catch((error: Error) => {
    throw new pulumi.RunError(printable(`can't read the stack's Secrets: ${error.message}`));
  });
  const errors = secretErrors(wanted, found, settings);
  if (errors.length > 0) {
    const where = `namespace ${settings.namespace} (${clusterName(settings)})`;
    throw new pulumi.RunError(`missing Secrets in ${where}; no changes were made:\n  - ${errors.join("\n  - ")}`);
  }
  const { application, existing } = settings.databaseSecrets;
  return existing ? found.get(application)?.resourceVersion : undefined;
}

/** Reads the keys of those Secrets that exist, by name. */
async function readSecrets(kubectl: Kubectl, wanted: readonly NeededSecret[]): Promise<Map<string, SecretKeys>> {
  const found = new Map<string, SecretKeys>();
  const read = async ({ name }: NeededSecret) => {
    const secret = await readSecretKeys(kubectl, name);
    if (secret !== undefined) found.set(name, secret);
  };
  await Promise.all(wanted.map(read));
  return found;
}
