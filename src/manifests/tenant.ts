import { contentHash } from "../plan/job-identity.ts";
import { type App, appLabels } from "./app.ts";

/** The label that says which of several databases in one namespace an object belongs to: its {@link tenantId}. */
export const tenantLabel = "unity/tenant";

/** What a tenant may be called: as much of it as fits is part of names and labels. */
export const tenantName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Characters of a migrate Job's name before its hash and attempt: its whole name is a label of its pods (63). */
const prefixLength = 46;

/** @returns A tenant's name, as long as names and labels allow: a hash stands for the end of a longer one. */
export function tenantId({ migrateJob }: App, tenant: string): string {
  const length = prefixLength - migrateJob.length - 1;
  if (tenant.length <= length) return tenant;
  const hash = contentHash(tenant);
  const kept = tenant.slice(0, Math.max(0, length - hash.length - 1)).replace(/-+$/, "");
  return kept === "" ? hash : `${kept}-${hash}`;
}

/** @returns The migrate Job's name before its hash. */
export function jobPrefix(app: App, tenant: string | undefined): string {
  return tenant === undefined ? app.migrateJob : `${app.migrateJob}-${tenantId(app, tenant)}`;
}

/** Labels of a migrate Job and of its pods. */
export function migrationLabels(app: App, tenant: string | undefined): Record<string, string> {
  return {
    ...appLabels(app, app.migrateJob),
    ...(tenant !== undefined && { [tenantLabel]: tenantId(app, tenant) }),
  };
}
