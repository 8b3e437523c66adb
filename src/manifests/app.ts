import { labels, names, partOfLabel, ports, serviceAccounts } from "./names.ts";
import { userIds } from "./security.ts";

/** Names of an app's migration in the cluster, each different from that of other apps in the namespace. */
export interface MigratedApp {
  /** Value of the label `app.kubernetes.io/part-of` on its objects. */
  readonly partOf: string;
  /** Prefix of the names of its migration Jobs, at most 34 characters. */
  readonly migrateJob: string;
  /** Service account of its migration Jobs, which is bound to no Role. */
  readonly accounts: { readonly migrations: string };
  /** User and group ID of the pods; `none` leaves it to the namespace and the image. */
  readonly userId: number | "none";
}

/** Names, ports, and paths that distinguish an app with a backend from others on the cluster. */
export interface App extends MigratedApp {
  /** Name of the app's Deployment, container, and Service. */
  readonly backend: string;
  /** TCP port that the app listens on. */
  readonly port: number;
  /** Paths that return 200: `alive` while the process runs, `ready` while it can serve. */
  readonly paths: { readonly alive: string; readonly ready: string };
  /** Service accounts of the app's pods and of its migration Jobs; neither is bound to a Role. */
  readonly accounts: { readonly backend: string; readonly migrations: string };
}

/** Unity's backend. */
export const unity: App = {
  backend: names.backend,
  migrateJob: names.migrateJob,
  partOf: "unity",
  port: ports.backend,
  paths: { alive: "/health/live", ready: "/health/ready" },
  accounts: serviceAccounts,
  userId: userIds.backend,
};

/** Names of an app's objects, at most 23 characters: the Jobs are `<name>-db-migrate-<hash>`. */
export const appName = /^[a-z]([-a-z0-9]{0,21}[a-z0-9])?$/;

/** Returns the default names of an app's migration. */
export function migratedApp(name: string): MigratedApp {
  return {
    partOf: name,
    migrateJob: `${name}-db-migrate`,
    accounts: { migrations: `${name}-migrations` },
    userId: userIds.backend,
  };
}

/** Returns the name of the Secret that is declared for the URL of an app's database. */
export function ownDatabaseSecret({ partOf }: Pick<MigratedApp, "partOf">): string {
  return `${partOf}-database`;
}

/** Returns the name of the volume claim of an app's restore points. */
export function restorePointsClaim({ partOf }: Pick<MigratedApp, "partOf">): string {
  return `${partOf}-restore-points`;
}

/** Returns the name of the Jobs that take, list, and restore an app's restore points, without its random end. */
export function restoreJobName({ partOf }: Pick<MigratedApp, "partOf">): string {
  return `${partOf}-db-restore`;
}

/** Returns the labels of an object that belongs to one of an app's workloads. */
export function appLabels({ partOf }: Pick<MigratedApp, "partOf">, workload: string): Record<string, string> {
  return { ...labels(workload), [partOfLabel]: partOf };
}
