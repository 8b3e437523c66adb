import { names, tenantLabel } from "../manifests/names.ts";
import type { TenantJob } from "../migrations/fleet-plan.ts";
import type { Kubectl } from "./kubectl.ts";
import { type JobStatus, jobState } from "./live-state.ts";
import { workloadSelector } from "./pods.ts";

/** What is read of a tenant's Job. */
interface JobObject extends JobStatus {
  readonly metadata: JobStatus["metadata"] & {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
  };
  readonly spec: { readonly suspend?: boolean };
}

/** kubectl's option that selects what belongs to tenants' migrations. */
export const tenantSelector = `${workloadSelector(names.migrateJob)},${tenantLabel}`;

/** The same for the Jobs of a namespace's only database. */
const onlySelector = `${workloadSelector(names.migrateJob)},!${tenantLabel}`;

/**
 * @returns The migrate Jobs of all tenants of the namespace, or of its only database.
 * @throws {Error} If the cluster can't be asked.
 */
export async function readMigrateJobs(kubectl: Kubectl, of: "tenants" | "only"): Promise<readonly TenantJob[]> {
  const selector = of === "tenants" ? tenantSelector : onlySelector;
  const { items } = await kubectl.get<{ items: JobObject[] }>("jobs", selector);
  return items.map((job) => ({
    name: job.metadata.name,
    tenantId: job.metadata.labels[tenantLabel] ?? "",
    state: jobState(job),
    created: job.metadata.creationTimestamp,
    suspended: job.spec.suspend === true,
  }));
}
