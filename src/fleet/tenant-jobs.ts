import type { Kubectl } from "../cluster/kubectl.ts";
import { type Job, jobState } from "../cluster/objects.ts";
import { workloadSelector } from "../cluster/pods.ts";
import type { App } from "../manifests/app.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { TenantJob } from "./attempts.ts";

/** Whose migrations: tenants', or those of a namespace's only database. */
export type Owners = "tenants" | "only";

/** @returns kubectl's option that selects what belongs to an app's migrations. */
export function migrationSelector(workload: string, owners: Owners): string {
  return `${workloadSelector(workload)},${owners === "tenants" ? "" : "!"}${tenantLabel}`;
}

/**
 * @returns An app's migrate Jobs in the namespace.
 * @throws {Error} If the cluster can't be asked.
 */
export async function readMigrateJobs(
  kubectl: Kubectl,
  { migrateJob }: App,
  owners: Owners,
): Promise<readonly TenantJob[]> {
  const { items } = await kubectl.get<{ items: Job[] }>("jobs", migrationSelector(migrateJob, owners));
  return items.map((job) => ({
    name: job.metadata.name,
    tenantId: job.metadata.labels?.[tenantLabel] ?? "",
    state: jobState(job),
    created: job.metadata.creationTimestamp,
    suspended: job.spec?.suspend === true,
  }));
}
