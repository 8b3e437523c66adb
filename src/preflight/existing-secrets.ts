import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "../cluster/kubectl.ts";
import { readSecretKeys, type SecretKeys } from "../cluster/secrets.ts";
import { type NeededSecret, neededSecrets, secretErrors } from "../manifests/database-secrets.ts";
import { caKey } from "../manifests/database-tls.ts";
import type { Settings } from "../settings/settings.ts";

/** @returns The Secrets that others must have made for a stack. */
export function existingSecrets({ databaseSecrets, database, databaseTls }: Settings): readonly NeededSecret[] {
  const ca = databaseTls?.caSecretName;
  return [
    ...neededSecrets(databaseSecrets, database.kind === "owned"),
    ...(ca === undefined ? [] : [{ setting: "databaseCaSecret", name: ca, keys: [caKey] }]),
  ];
}

/**
 * Looks whether the Secrets are there that others must have made, with their keys; no value gets into the program.
 *
 * @returns What changes when the backend's Secret does; `undefined` if the program makes it.
 * @throws {pulumi.RunError} With all that is missing and how to make it, or why the cluster can't be asked.
 */
export async function existingSecretVersion(
  settings: Settings,
  kubectl = new Kubectl(settings),
): Promise<string | undefined> {
  const wanted = existingSecrets(settings);
  if (wanted.length === 0) return undefined;
  const found = await readAll(kubectl, wanted).catch((error: Error) => {
    throw new pulumi.RunError(`The stack's Secrets can't be looked for: ${error.message}`);
  });
  const errors = secretErrors(wanted, found, settings);
  if (errors.length > 0) {
    const where = `namespace ${settings.namespace} of context ${settings.context}`;
    throw new pulumi.RunError(`Secrets are missing in ${where}. Nothing was changed.\n  - ${errors.join("\n  - ")}`);
  }
  const { application, existing } = settings.databaseSecrets;
  return existing ? found.get(application)?.resourceVersion : undefined;
}

async function readAll(kubectl: Kubectl, wanted: readonly NeededSecret[]): Promise<Map<string, SecretKeys>> {
  const found = await Promise.all(wanted.map(async ({ name }) => [name, await readSecretKeys(kubectl, name)] as const));
  return new Map(found.flatMap(([name, secret]) => (secret === undefined ? [] : [[name, secret] as const])));
}
