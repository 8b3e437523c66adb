/** Names that operators type: everything of Unity's that another program or a person refers to. */
export const names = {
  backend: "unity-backend",
  migrateJob: "unity-db-migrate",
  postgres: "postgres",
  postgresService: "postgres-service",
  restoreJob: "unity-db-restore",
  restorePoints: "unity-restore-points",
  databaseSecret: "unity-database",
  migrationSecret: "unity-migrations",
  networkPolicies: "unity-network-policies",
  database: "homelab_db",
  databaseOwner: "homelab_user",
} as const;

/** Service accounts, one a kind of pod: none is bound to a role, and none has a token in a pod. */
export const serviceAccounts = {
  backend: names.backend,
  migrations: "unity-migrations",
  postgres: "unity-postgres",
} as const;

/** TCP ports, as the containers listen on them. */
export const ports = { backend: 8000, postgres: 5432, dns: 53 } as const;

/** The label that says that an object is Unity's. */
export const partLabel = { "app.kubernetes.io/part-of": "unity" } as const;

/** Who manages the fields of the backend's Deployment, for Kubernetes: the same in every run. */
export const fieldManager = "unity";

/** The label that says which workload an object belongs to. */
export const nameLabel = "app.kubernetes.io/name";

/** Labels by which a workload's pods are found; a Deployment's selector never changes, so these never may. */
export function selectorLabels(workload: string): Record<string, string> {
  return { [nameLabel]: workload };
}

/** All labels of an object of `workload` (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). */
export function labels(workload: string): Record<string, string> {
  return { ...selectorLabels(workload), ...partLabel };
}

/** Annotation of the migrations' service account: the Job that was waited for last, so that one that is gone is known. */
export const lastJobAnnotation = "unity/last-job";
