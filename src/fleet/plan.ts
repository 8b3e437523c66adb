import * as pulumi from "@pulumi/pulumi";
import { type ClusterTarget, Kubectl } from "../cluster/kubectl.ts";
import { type App, unity } from "../manifests/app.ts";
import { type MigrationOptions, migration } from "../manifests/migrate-job.ts";
import { tenantId } from "../manifests/tenant.ts";
import { type JobAttempt, jobAttempt } from "../plan/job-identity.ts";
import { describeTenants, planTenants, type TenantAttempt, type TenantJob, unasked } from "./attempts.ts";
import { type FleetOptions, fleetMigrations } from "./options.ts";
import { type Owners, readMigrateJobs } from "./tenant-jobs.ts";

/**
 * Looks at the migrate Jobs that there are, and plans which attempt of the work a program declares: a failed one leads to
 * the next, one that runs is waited for. The database itself is not asked.
 *
 * @throws {pulumi.RunError} If the cluster can't be asked.
 */
export async function planMigration(
  options: MigrationOptions,
  target: ClusterTarget,
  kubectl = new Kubectl(target),
): Promise<JobAttempt> {
  const { app = unity, tenant } = options;
  const jobs = await liveJobs(kubectl, app, tenant === undefined ? "only" : "tenants");
  const own = tenant === undefined ? jobs : jobs.filter((job) => job.tenantId === tenantId(app, tenant));
  return jobAttempt(migration(options).jobName(1), own, unasked);
}

/**
 * The same for each tenant of a fleet; it shows the plan, in preview as in `up`.
 *
 * @throws {pulumi.RunError} If the cluster can't be asked.
 */
export async function planFleet(options: FleetOptions, target: ClusterTarget): Promise<readonly TenantAttempt[]> {
  const works = fleetMigrations(options).migrations.map(({ tenant, jobName }) => ({
    tenant,
    tenantId: tenantId(options.app ?? unity, tenant),
    firstName: jobName(1),
  }));
  const attempts = planTenants(works, await liveJobs(new Kubectl(target), options.app, "tenants"));
  await pulumi.log.info(describeTenants(attempts));
  return attempts;
}

/** In a namespace that does not exist yet there are none. */
async function liveJobs(kubectl: Kubectl, app: App = unity, owners: Owners): Promise<readonly TenantJob[]> {
  return readMigrateJobs(kubectl, app, owners).catch((error: Error) => {
    throw new pulumi.RunError(`The migrate Jobs of namespace ${kubectl.namespace} can't be read: ${error.message}`);
  });
}
