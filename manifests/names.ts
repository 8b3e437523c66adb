import { contentHash } from "../migrations/job-identity.ts";

/** Names that operators type: everything of Unity's that another program or a person refers to. */
export const names = {
  backend: "unity-backend",
  migrateJob: "unity-db-migrate",
  postgres: "postgres",
  postgresService: "postgres-service",
  restoreJob: "unity-db-restore",
  restorePoints: "unity-restore-points",
  databaseSecret: "unity-database",
  database: "homelab_db",
  databaseOwner: "homelab_user",
} as const;

/** TCP ports, as the containers listen on them. */
export const ports = { backend: 8000, postgres: 5432 } as const;

/** The label that says which workload an object belongs to. */
export const nameLabel = "app.kubernetes.io/name";

/** Labels by which a workload's pods are found; a Deployment's selector never changes, so these never may. */
export function selectorLabels(workload: string): Record<string, string> {
  return { [nameLabel]: workload };
}

/** All labels of an object of `workload` (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). */
export function labels(workload: string): Record<string, string> {
  return { ...selectorLabels(workload), "app.kubernetes.io/part-of": "unity" };
}

/** The label that says which of several databases in one namespace an object belongs to: its {@link tenantId}. */
export const tenantLabel = "unity/tenant";

/** What a tenant may be called: as much of it as fits is part of names and labels. */
export const tenantName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Characters of a tenant's name in a Job's name, which has 63: the prefix, a content hash and an attempt take the rest. */
const tenantIdLength = 28;

/** @returns A tenant's name, as long as names and labels allow: a hash stands for the end of a longer one. */
export function tenantId(tenant: string): string {
  if (tenant.length <= tenantIdLength) return tenant;
  const hash = contentHash(tenant);
  return `${tenant.slice(0, tenantIdLength - hash.length - 1).replace(/-+$/, "")}-${hash}`;
}

/** Labels of a migrate Job and of its pods. */
export function migrationLabels(tenant: string | undefined): Record<string, string> {
  return { ...labels(names.migrateJob), ...(tenant !== undefined && { [tenantLabel]: tenantId(tenant) }) };
}
