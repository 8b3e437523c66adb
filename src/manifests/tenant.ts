import { contentHash } from "../plan/job-identity.ts";
import { appLabels, type MigratedApp } from "./app.ts";

/** Label with the {@link tenantId} of an object, if several databases share one namespace. */
export const tenantLabel = "pulumi-alembic/tenant";

/** Pattern of tenant names, which are part of object names and labels. */
export const tenantName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Maximum length of a Job name's prefix: the whole name, with hash and attempt, is a label of 63 characters. */
const prefixLength = 46;

/** Returns a tenant's name, shortened to fit names and labels: a hash replaces the end of a longer name. */
export function tenantId({ migrateJob }: MigratedApp, tenant: string): string {
  const length = prefixLength - migrateJob.length - 1;
  if (tenant.length <= length) return tenant;
  const hash = contentHash(tenant);
  const start = tenant.slice(0, Math.max(0, length - hash.length - 1)).replace(/-+$/, "");
  return start === "" ? hash : `${start}-${hash}`;
}

/** Returns the part of a migration Job's name before its hash. */
export function jobPrefix(app: MigratedApp, tenant: string | undefined): string {
  return tenant === undefined ? app.migrateJob : `${app.migrateJob}-${tenantId(app, tenant)}`;
}

/** Returns the labels of a migration Job and its pods. */
export function migrationLabels(app: MigratedApp, tenant: string | undefined): Record<string, string> {
  const labels = appLabels(app, app.migrateJob);
  if (tenant !== undefined) labels[tenantLabel] = tenantId(app, tenant);
  return labels;
}
