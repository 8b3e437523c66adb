import { labels, names, ports, serviceAccounts } from "./names.ts";
import { userIds } from "./security.ts";

/** What tells one app from another on the cluster. Unity's is the default everywhere. */
export interface App {
  /** Name of the app's Deployment, of its container and of its Service. */
  readonly backend: string;
  /** Name of its migrate Jobs, but for what they do: at most 34 characters. */
  readonly migrateJob: string;
  /** The whole that its objects are part of: the label `app.kubernetes.io/part-of`. */
  readonly partOf: string;
  /** TCP port that the app listens on. */
  readonly port: number;
  /** Paths that answer 200: while the process is alive, and while it can serve. */
  readonly paths: { readonly alive: string; readonly ready: string };
  /** Service accounts of the app's pods and of the migrations'; they have no rights. */
  readonly accounts: { readonly backend: string; readonly migrations: string };
  /** User and group id that the image runs as. */
  readonly userId: number;
}

/** Unity, as an app among others. */
export const unity: App = {
  backend: names.backend,
  migrateJob: names.migrateJob,
  partOf: "unity",
  port: ports.backend,
  paths: { alive: "/health/live", ready: "/health/ready" },
  accounts: serviceAccounts,
  userId: userIds.backend,
};

/** @returns All labels of an object of one of an app's workloads. */
export function appLabels({ partOf }: App, workload: string): Record<string, string> {
  return { ...labels(workload), "app.kubernetes.io/part-of": partOf };
}
