import type { ClusterTarget } from "../cluster/kubectl.ts";

/** A tenant's migrate Job. */
export interface FleetJob {
  readonly tenant: string;
  /** Name of its Job. */
  readonly name: string;
  /** Whether the others wait for it. */
  readonly canary: boolean;
}

/** What is started and waited for. It is in the state: no secret is in it. */
export interface FleetTarget extends ClusterTarget {
  /** What the Jobs are labelled with: the app's name for them. */
  readonly workload: string;
  /** How many run at once. */
  readonly parallelism: number;
  /** How long each may take from its start. */
  readonly timeoutSeconds: number;
  /** In the order in which they are started. */
  readonly jobs: readonly FleetJob[];
}
