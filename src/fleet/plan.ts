import * as pulumi from "@pulumi/pulumi";
import { currentOwner } from "../cluster/current-owner.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { type Job, jobState, ownerOf } from "../cluster/objects.ts";
import { type ProgramTarget, resolveTarget } from "../cluster/program-target.ts";
import { type App, unity } from "../manifests/app.ts";
import { type MigrationOptions, migration } from "../manifests/migrate-job.ts";
import { nameLabel, ownerAnnotation } from "../manifests/names.ts";
import { tenantId, tenantLabel } from "../manifests/tenant.ts";
import { type JobAttempt, jobAttempt, type LiveJob } from "../plan/job-identity.ts";
import { printable } from "../printable.ts";
import { type FleetOptions, fleetMigrations } from "./fleet.ts";
import { type JobOwners, migrationSelector } from "./wait.ts";

/** Migrate Job of a tenant in the cluster. */
export interface TenantJob extends LiveJob {
  /** The tenant's id, from the Job's label. */
  readonly tenantId: string;
  /** Whether it has not started yet. */
  readonly suspended: boolean;
}

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
 * Plans the attempt of a migration that a program declares, from the Jobs in the cluster: a failed Job leads to the next
 * attempt, a running one is waited for. The database is not queried.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried.
 */
export async function planMigration(
  options: MigrationOptions,
  target: ProgramTarget,
  kubectl?: Kubectl,
): Promise<JobAttempt> {
  const { app = unity, tenant } = options;
  const client = kubectl ?? (await connect(target));
  const jobs = await readMigrateJobs(client, app, tenant === undefined ? "only" : "tenants");
  const own = tenant === undefined ? jobs : jobs.filter((job) => job.tenantId === tenantId(app, tenant));
  return jobAttempt(migration(options).jobName(1), own, notQueried);
}

/**
 * Plans the attempt of each tenant as {@link planMigration} does, and prints the plan.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried.
 */
export async function planFleet(options: FleetOptions, target: ProgramTarget): Promise<readonly TenantAttempt[]> {
  const { app = unity } = options;
  const works = fleetMigrations(options).migrations.map(({ tenant, jobName }) => ({
    tenant,
    tenantId: tenantId(app, tenant),
    firstName: jobName(1),
  }));
  const kubectl = await connect(target);
  const attempts = planTenants(works, await readMigrateJobs(kubectl, app, "tenants"));
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

/** Connects to a cluster; returns `undefined` if it doesn't exist yet, in a preview. */
async function connect(target: ProgramTarget): Promise<Kubectl | undefined> {
  const resolved = await resolveTarget(target);
  return resolved && new Kubectl(resolved, { report: pulumi.log.info });
}

/**
 * Reads an app's migrate Jobs; none if the namespace or the cluster doesn't exist yet.
 *
 * @throws {pulumi.RunError} If the cluster can't be queried, or another stack owns one of them.
 */
async function readMigrateJobs(
  kubectl: Kubectl | undefined,
  app: App,
  owners: JobOwners,
): Promise<readonly TenantJob[]> {
  if (kubectl === undefined) return [];
  const selector = migrationSelector(app.migrateJob, owners);
  const { items } = await kubectl.get<{ items: Job[] }>("jobs", selector).catch((error: Error) => {
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
