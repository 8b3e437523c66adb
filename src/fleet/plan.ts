import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "../cluster/kubectl.ts";
import type { TenantJob } from "../cluster/list-migrate-jobs.ts";
import { readMigrateJobs } from "../cluster/migrate-jobs.ts";
import { type ProgramTarget, resolveTarget } from "../cluster/program-target.ts";
import { tenantId } from "../manifests/tenant.ts";
import { type JobAttempt, jobAttempt } from "../plan/job-identity.ts";
import { printable } from "../printable.ts";
import { type FleetOptions, fleetMigrations } from "./fleet.ts";

/** Job that an update declares for a tenant. */
export interface TenantAttempt extends JobAttempt {
  readonly tenant: string;
  /** Whether it has started already: then it must not be suspended. */
  readonly started: boolean;
}

/** Work of a tenant. */
interface TenantWork {
  readonly tenant: string;
  readonly tenantId: string;
  /** Name of the first attempt's Job. */
  readonly firstName: string;
}

/** State of every tenant's database: none is queried, so that the plan follows from the Jobs alone. */
const notQueried = { kind: "unreachable", what: "database", cause: "not queried" } as const;

/**
 * Plans the attempt of each tenant's migration from the Jobs in the cluster, and prints the plan: a failed Job leads to the
 * next attempt, a running one is waited for. The databases are not queried.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried.
 */
export async function planFleet(options: FleetOptions, target: ProgramTarget): Promise<readonly TenantAttempt[]> {
  const { app } = options;
  const works = fleetMigrations(options).migrations.map(({ tenant, jobName }) => ({
    tenant,
    tenantId: tenantId(app, tenant),
    firstName: jobName(1),
  }));
  const resolved = await resolveTarget(target);
  const kubectl = resolved && new Kubectl(resolved, { report: pulumi.log.info });
  // In a preview, the cluster may not exist yet.
  const attempts = planTenants(works, kubectl === undefined ? [] : await readMigrateJobs(kubectl, app, "tenants"));
  await pulumi.log.info(printable(describeTenants(attempts)));
  return attempts;
}

/** Plans the attempt of each tenant from its own Jobs. */
export function planTenants(works: readonly TenantWork[], jobs: readonly TenantJob[]): readonly TenantAttempt[] {
  return works.map(({ tenant, tenantId, firstName }) => {
    const own = jobs.filter((job) => job.tenantId === tenantId);
    const attempt = jobAttempt(firstName, own, notQueried);
    const live = own.find(({ name }) => name === attempt.name);
    return { ...attempt, tenant, started: live?.suspended === false };
  });
}

const titles = { run: "to migrate", attach: "in progress", keep: "migrated" } as const;

/** Names on a line; the rest is counted. */
const shownNames = 20;

/** Describes what an update will do: a line for each kind of work, and one for each retry. */
export function describeTenants(attempts: readonly TenantAttempt[]): string {
  const lines = [`${attempts.length} tenants:`];
  for (const action of Object.keys(titles) as JobAttempt["action"][]) {
    const tenants = attempts.filter((attempt) => attempt.action === action).map(({ tenant }) => tenant);
    if (tenants.length > 0) lines.push(`  ${tenants.length} ${titles[action]}: ${firstNames(tenants)}`);
  }
  for (const { tenant, name, reason, attempt, action } of attempts)
    if (action === "run" && attempt > 1) lines.push(`  retry of ${tenant} as Job ${name}: ${reason}`);
  return lines.join("\n");
}

function firstNames(tenants: readonly string[]): string {
  const names = tenants.slice(0, shownNames);
  const more = tenants.length - names.length;
  if (more > 0) names.push(`${more} more`);
  return names.join(", ");
}
