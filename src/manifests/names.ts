/** Names of Unity's objects that operators and other programs refer to. */
export const names = {
  backend: "unity-backend",
  migrateJob: "unity-db-migrate",
  postgres: "postgres",
  postgresService: "postgres-service",
  postgresImageJob: "unity-postgres-image",
  restoreJob: "unity-db-restore",
  restorePoints: "unity-restore-points",
  databaseSecret: "unity-database",
  migrationSecret: "unity-migrations",
  networkPolicies: "unity-network-policies",
  database: "homelab_db",
  databaseOwner: "homelab_user",
} as const;

/** Service accounts, one for each kind of pod: none is bound to a Role, and no pod mounts their tokens. */
export const serviceAccounts = {
  backend: names.backend,
  migrations: "unity-migrations",
  postgres: "unity-postgres",
} as const;

/** TCP ports that the containers listen on. */
export const ports = { backend: 8000, postgres: 5432, dns: 53 } as const;

/** Label with the app that an object belongs to. */
export const partOfLabel = "app.kubernetes.io/part-of";

/** Label of every object of Unity. */
export const partLabel = { [partOfLabel]: "unity" } as const;

/** Field manager of the backend's Deployment. A change would leave the fields of the former one on deployed stacks. */
export const fieldManager = "unity";

/** Label with the name of an object's workload. */
export const nameLabel = "app.kubernetes.io/name";

/** Returns the labels that select a workload's pods. They must never change: a Deployment's selector is immutable. */
export function selectorLabels(workload: string): Record<string, string> {
  return { [nameLabel]: workload };
}

/** Returns the common labels of a workload's objects (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). */
export function labels(workload: string): Record<string, string> {
  return { ...selectorLabels(workload), ...partLabel };
}

/** Annotation of every object that a stack declares: the project and the stack that own it, as `project/stack`. */
export const ownerAnnotation = "pulumi-alembic/owner";

/** Annotation of the migrations' service account: name of the last awaited Job, so that a deleted Job is detected. */
export const lastJobAnnotation = "pulumi-alembic/last-job";

/** Annotation of the backend's pods: the version of the database's Secret. */
export const databaseSecretAnnotation = "pulumi-alembic/database-secret";

/** Annotation with the container that `kubectl` uses by default. */
export const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

/** Label of pods that have an app's gate: the app's name. */
export const appLabel = "pulumi-alembic/app";

/** Annotation of pods that have an app's gate: the revision that their code was made for. */
export const headAnnotation = "pulumi-alembic/head";

/** Label of the ConfigMaps that describe a deployed app for commands: the part that they describe. */
export const descriptorLabel = "pulumi-alembic/descriptor";

/** Annotation of a migration Job whose runner has succeeded, though other containers of its pod keep it from completing. */
export const migratedAnnotation = "pulumi-alembic/migrated";

/** Annotation of an adopted Deployment: the configuration of its earlier pods that every update preserves. */
export const preservedAnnotation = "pulumi-alembic/preserved";

/** Annotation of a migration Job's pods: the Job's plan, for the runner. */
export const planAnnotation = "pulumi-alembic/plan";
