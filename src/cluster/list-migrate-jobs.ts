import type { MigratedApp } from "../manifests/app.ts";
import { lastJobAnnotation } from "../manifests/names.ts";
import { tenantLabel } from "../manifests/tenant.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import type { Kubectl } from "./kubectl.ts";
import { type Job, jobState, type LiveObject, ownerOf, planOfJob } from "./objects.ts";
import { workloadSelector } from "./pods.ts";

/** Migrate Job in the cluster. */
export interface TenantJob extends LiveJob {
  /** The tenant's id, from the Job's label; empty for the only database of a namespace. */
  readonly tenantId: string;
  /** Whether it has not started yet. */
  readonly suspended: boolean;
  /** Stack that owns it, as `project/stack`; `undefined` for a Job that no stack declared. */
  readonly owner: string | undefined;
}

/** Owners of migrate Jobs: tenants, or the only database of a namespace. */
export type JobOwners = "tenants" | "only";

/** Names by which an app's Jobs are found. */
export type JobNames = Pick<MigratedApp, "migrateJob" | "accounts">;

/** Returns the kubectl option that selects the objects of an app's migrations. */
export function migrationSelector(workload: string, owners: JobOwners): string {
  return `${workloadSelector(workload)},${owners === "tenants" ? "" : "!"}${tenantLabel}`;
}

/**
 * Lists an app's migrate Jobs, oldest first, and the one that an update waited for last if it was deleted since; none if the
 * namespace doesn't exist yet.
 *
 * @throws {Error} If the cluster can't be queried.
 */
export async function listMigrateJobs(
  kubectl: Kubectl,
  { migrateJob, accounts }: JobNames,
  owners: JobOwners,
): Promise<readonly TenantJob[]> {
  const [{ items }, last] = await Promise.all([
    kubectl.get<{ items: Job[] }>(
      "jobs",
      migrationSelector(migrateJob, owners),
      "--sort-by=.metadata.creationTimestamp",
    ),
    owners === "only" ? readLastJob(kubectl, accounts.migrations) : undefined,
  ]).catch((error: Error) => {
    throw new Error(`can't list the migrate Jobs of namespace ${kubectl.namespace}: ${error.message}`);
  });
  const jobs = items.map((job) => ({
    name: job.metadata.name,
    tenantId: job.metadata.labels?.[tenantLabel] ?? "",
    state: jobState(job),
    created: job.metadata.creationTimestamp,
    plan: planOfJob(job),
    suspended: job.spec?.suspend === true,
    owner: ownerOf(job),
  }));
  if (last === undefined || jobs.some(({ name }) => name === last.name)) return jobs;
  return [...jobs, { ...last, tenantId: "", state: "gone", suspended: false }];
}

/** Reads the name and the owner of the Job that an update waited for last: they are those of its service account. */
async function readLastJob(kubectl: Kubectl, account: string): Promise<Pick<TenantJob, "name" | "owner"> | undefined> {
  const output = await kubectl.run(["get", "serviceaccount", account, "--ignore-not-found", "--output=json"]);
  if (output === "") return undefined;
  const found = JSON.parse(output) as LiveObject;
  const name = found.metadata.annotations?.[lastJobAnnotation];
  return name === undefined ? undefined : { name, owner: ownerOf(found) };
}
