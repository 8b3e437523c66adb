import * as pulumi from "@pulumi/pulumi";
import { nameLabel, ownerAnnotation } from "../manifests/names.ts";
import { messageOf } from "../printable.ts";
import { currentOwner } from "./current-owner.ts";
import type { Kubectl } from "./kubectl.ts";
import { type JobNames, type JobOwners, listMigrateJobs, type TenantJob } from "./list-migrate-jobs.ts";

/**
 * Reads an app's migrate Jobs for a program; none if the namespace doesn't exist yet.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried, or another stack owns one of them.
 */
export async function readMigrateJobs(
  kubectl: Kubectl,
  app: JobNames,
  owners: JobOwners,
): Promise<readonly TenantJob[]> {
  const jobs = await listMigrateJobs(kubectl, app, owners).catch((error: unknown) => {
    throw new pulumi.RunError(messageOf(error));
  });
  const own = currentOwner();
  for (const { name, owner } of jobs) {
    if (own !== undefined && owner !== undefined && owner !== own)
      throw new pulumi.RunError(describeForeign(name, app.migrateJob, owner, own, kubectl.namespace));
  }
  return jobs;
}

function describeForeign(name: string, workload: string, owner: string, own: string, namespace: string): string {
  return [
    `Job ${name} in namespace ${namespace} belongs to stack ${owner}, not to ${own}; no changes were made.`,
    "Deploy to another namespace. To adopt its Jobs, remove them from the state of that stack, and run:",
    `kubectl annotate -n ${namespace} jobs,serviceaccounts --selector=${nameLabel}=${workload} --overwrite ${ownerAnnotation}=${own}`,
  ].join("\n");
}
