import * as pulumi from "@pulumi/pulumi";
import { type ClusterTarget, Kubectl } from "./cluster/kubectl.ts";
import { readTenantJobs } from "./cluster/tenant-jobs.ts";
import { type FleetOptions, fleetMigrations } from "./manifests/fleet.ts";
import { tenantId } from "./manifests/names.ts";
import { describeTenants, planTenants, type TenantAttempt } from "./migrations/fleet-plan.ts";

/**
 * Looks at the Jobs of the tenants that there are, plans which attempt of each the update declares, and shows it, in
 * preview as in `up`. In a namespace that does not exist yet there are none.
 *
 * @throws {pulumi.RunError} If the cluster can't be asked.
 */
export async function planFleet(options: FleetOptions, target: ClusterTarget): Promise<readonly TenantAttempt[]> {
  const works = fleetMigrations(options).migrations.map(({ tenant, jobName }) => ({
    tenant,
    tenantId: tenantId(tenant),
    firstName: jobName(1),
  }));
  const jobs = await readTenantJobs(new Kubectl(target)).catch((error: Error) => {
    throw new pulumi.RunError(`The tenants' Jobs can't be read: ${error.message}`);
  });
  const attempts = planTenants(works, jobs);
  await pulumi.log.info(describeTenants(attempts));
  return attempts;
}
