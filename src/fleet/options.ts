import { lockDigest } from "../lockfile/lock.ts";
import { type Migration, type MigrationOptions, migrationJob } from "../manifests/migrate-job.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../manifests/runner.ts";

/** One of several databases of the same chain. */
export interface Tenant {
  /** What it is called: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Secret of the namespace with its `DATABASE_URL`. */
  readonly secretName: string;
}

/** What the migrations of several databases are made of. */
export interface FleetOptions
  extends Omit<MigrationOptions, "secretName" | "tenant" | "allowDowngrade" | "restorePointImage" | "applicationRole"> {
  /** The databases, each by its tenant's name and its Secret. */
  readonly tenants: readonly Tenant[];
}

/** A tenant's Job, but for the attempt in its name. */
export interface TenantMigration extends Pick<Migration, "jobSpec" | "jobName"> {
  readonly tenant: string;
}

/** The objects of several migrations: one ConfigMap, since all run the same, and a Job for each tenant. */
export interface Fleet extends Pick<Migration, "configMapName" | "files"> {
  readonly migrations: readonly TenantMigration[];
}

/** @returns What the migrations of several databases declare, and what their Jobs are called. */
export function fleetMigrations({ tenants, ...options }: FleetOptions): Fleet {
  const files = runnerConfigMapData(options);
  const configMapName = runnerConfigMapName(files, options.app?.migrateJob);
  const chainDigest = lockDigest(options.lock);
  const migrations = tenants.map(({ name: tenant, secretName }) => ({
    tenant,
    ...migrationJob({ ...options, tenant, secretName }, configMapName, chainDigest),
  }));
  return { configMapName, files, migrations };
}
