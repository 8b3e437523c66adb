import * as pulumi from "@pulumi/pulumi";
import type { MigratedApp } from "../manifests/app.ts";
import { nameLabel, ownerAnnotation } from "../manifests/names.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import { printable } from "../printable.ts";
import { currentOwner } from "./current-owner.ts";
import type { Kubectl } from "./kubectl.ts";
import { type Job, jobState, ownerOf, planOfJob } from "./objects.ts";
import { workloadSelector } from "./pods.ts";

/** Migrate Job of a tenant in the cluster. */
export interface TenantJob extends LiveJob {
  /** The tenant's id, from the Job's label; empty for the only database of a namespace. */
  readonly tenantId: string;
  /** Whether it has not started yet. */
  readonly suspended: boolean;
}

/** Owners of migrate Jobs: tenants, or the only database of a namespace. */
export type JobOwners = "tenants" | "only";

/** Returns the kubectl option that selects the objects of an app's migrations. */
export function migrationSelector(workload: string, owners: JobOwners): string {
  return `${workloadSelector(workload)},${owners === "tenants" ? "" : "!"}${tenantLabel}`;
}

/**
 * Reads an app's migrate Jobs; none if the namespace doesn't exist yet.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried, or another stack owns one of them.
 */
export async function readMigrateJobs(
  kubectl: Kubectl,
  { migrateJob }: Pick<MigratedApp, "migrateJob">,
  owners: JobOwners,
): Promise<readonly TenantJob[]> {
  const { items } = await kubectl
    .get<{ items: Job[] }>("jobs", migrationSelector(migrateJob, owners))
    .catch((error: Error) => {
      throw new pulumi.RunError(
        printable(`can't list the migrate Jobs of namespace ${kubectl.namespace}: ${error.message}`),
      );
    });
  const own = currentOwner();
  for (const job of items) {
    const owner = ownerOf(job);
    if (own !== undefined && owner !== undefined && owner !== own)
      throw new pulumi.RunError(describeForeign(job, owner, own, kubectl.namespace));
  }
  return items.map((job) => ({
    name: job.metadata.name,
    tenantId: job.metadata.labels?.[tenantLabel] ?? "",
    state: jobState(job),
    created: job.metadata.creationTimestamp,
    plan: planOfJob(job),
    suspended: job.spec?.suspend === true,
  }));
}

function describeForeign({ metadata }: Job, owner: string, own: string, namespace: string): string {
  return [
    `Job ${metadata.name} in namespace ${namespace} belongs to stack ${owner}, not to ${own}; no changes were made.`,
    "Deploy to another namespace. To adopt its Jobs, remove them from the state of that stack, and run:",
    `kubectl annotate -n ${namespace} job --selector=${nameLabel}=${metadata.labels?.[nameLabel]} --overwrite ${ownerAnnotation}=${own}`,
  ].join("\n");
}
