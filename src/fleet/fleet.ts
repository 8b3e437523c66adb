import type { ClusterTarget } from "../cluster/kubectl.ts";
import { lockDigest } from "../lockfile/lock.ts";
import { integer, shapeErrors, unknownError, valueError } from "../lockfile/shape.ts";
import type { MigratedApp } from "../manifests/app.ts";
import { type Migration, type MigrationOptions, migrationJob } from "../manifests/migrate-job.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../manifests/runner-files.ts";
import { tenantId, tenantName } from "../manifests/tenant.ts";

/** One of several databases of the same chain. */
export interface Tenant {
  /** Unique name: lowercase letters, digits, and hyphens. */
  readonly name: string;
  /** Secret of the namespace with its `DATABASE_URL`. */
  readonly secretName: string;
}

/** Options for the migrations of several databases. */
export interface FleetOptions
  extends Omit<MigrationOptions, "secretName" | "tenant" | "allowDowngrade" | "restorePointImage" | "applicationRole"> {
  /** The databases, each with its tenant's name and its Secret. */
  readonly tenants: readonly Tenant[];
}

/** Migrate Job of a tenant, without its attempt. */
export interface TenantMigration extends Pick<Migration, "jobSpec" | "jobName"> {
  readonly tenant: string;
}

/** Objects of several migrations: a ConfigMap that all share, and a Job for each tenant. */
export interface Fleet extends Pick<Migration, "configMapName" | "files"> {
  readonly migrations: readonly TenantMigration[];
}

/** Number of the first tenants, or names of tenants, that migrate before all others. */
export type Canaries = number | readonly string[];

/** Migrate Job of a tenant that is started and waited for. */
export interface FleetJob {
  readonly tenant: string;
  /** Name of the Job. */
  readonly name: string;
  /** Whether the others wait for it. */
  readonly canary: boolean;
}

/** Jobs to start and wait for. The state contains it, so it holds no secret. */
export interface FleetTarget extends ClusterTarget {
  /** Value of the Jobs' name label. */
  readonly workload: string;
  /** Maximum number of Jobs that run at the same time. */
  readonly parallelism: number;
  /** Time limit of each Job, from its start. */
  readonly timeoutSeconds: number;
  /** Time until each Job must have begun its migration, from its start. */
  readonly startTimeoutSeconds: number;
  /** Jobs in the order in which they start. */
  readonly jobs: readonly FleetJob[];
}

/** Returns the objects that the migrations of several databases declare. */
export function fleetMigrations({ tenants, ...options }: FleetOptions): Fleet {
  const files = runnerConfigMapData(options);
  const configMapName = runnerConfigMapName(files, options.app.migrateJob);
  const chainDigest = lockDigest(options.lock);
  const migrations = tenants.map(({ name: tenant, secretName }) => ({
    tenant,
    ...migrationJob({ ...options, tenant, secretName }, configMapName, chainDigest),
  }));
  return { configMapName, files, migrations };
}

/** Returns the errors of a fleet's arguments. */
export function fleetErrors(
  app: MigratedApp,
  tenants: readonly Tenant[],
  canaries: Canaries,
  parallelism: number,
): readonly string[] {
  const errors: string[] = [];
  const known = tenants.map(({ name }) => name);
  if (known.length === 0) errors.push("no tenants: at least one is required");
  for (const name of known.filter((name) => !tenantName.test(name)))
    errors.push(valueError("tenant name", name, "lowercase letters, digits, and hyphens between them"));
  const duplicates = new Set(known.filter((name, index) => known.indexOf(name) !== index));
  for (const name of duplicates) errors.push(`duplicate tenant name "${name}"`);
  const ids = new Set(known.map((name) => tenantId(app, name)));
  if (duplicates.size === 0 && ids.size < known.length)
    errors.push("two long tenant names have the same short form: rename one");
  if (typeof canaries === "number") {
    if (!integer(0).matches(canaries))
      errors.push(valueError("canaries", canaries, "an integer from 0, or tenant names"));
  } else {
    for (const name of canaries.filter((name) => !known.includes(name)))
      errors.push(unknownError(`canary "${name}"`, known));
  }
  return [...errors, ...shapeErrors(parallelism, integer(1), "parallelism")];
}

/** Returns the Jobs in the order in which they start: canaries first, otherwise as given. */
export function orderTenants(jobs: readonly Omit<FleetJob, "canary">[], canaries: Canaries): readonly FleetJob[] {
  const marked = jobs.map((job, index) => ({
    ...job,
    canary: typeof canaries === "number" ? index < canaries : canaries.includes(job.tenant),
  }));
  return [...marked.filter(({ canary }) => canary), ...marked.filter(({ canary }) => !canary)];
}
