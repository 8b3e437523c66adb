import { labels, names, partOfLabel, ports, serviceAccounts } from "./names.ts";
import { userIds } from "./security.ts";

/** Names, ports, and paths that distinguish an app from others on the cluster. */
export interface App {
  /** Name of the app's Deployment, container, and Service. */
  readonly backend: string;
  /** Prefix of the names of its migration Jobs, at most 34 characters. */
  readonly migrateJob: string;
  /** Value of the label `app.kubernetes.io/part-of` on its objects. */
  readonly partOf: string;
  /** TCP port that the app listens on. */
  readonly port: number;
  /** Paths that return 200: `alive` while the process runs, `ready` while it can serve. */
  readonly paths: { readonly alive: string; readonly ready: string };
  /** Service accounts of the app's pods and of its migration Jobs; neither is bound to a Role. */
  readonly accounts: { readonly backend: string; readonly migrations: string };
  /** User and group ID of the pods; `none` leaves it to the namespace and the image. */
  readonly userId: number | "none";
}

/** Unity's backend, the default of every option `app`. */
export const unity: App = {
  backend: names.backend,
  migrateJob: names.migrateJob,
  partOf: "unity",
  port: ports.backend,
  paths: { alive: "/health/live", ready: "/health/ready" },
  accounts: serviceAccounts,
  userId: userIds.backend,
};

/** Returns the labels of an object that belongs to one of an app's workloads. */
export function appLabels({ partOf }: App, workload: string): Record<string, string> {
  return { ...labels(workload), [partOfLabel]: partOf };
}
