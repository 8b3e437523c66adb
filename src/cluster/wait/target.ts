import type { ClusterTarget } from "../kubectl.ts";

/** What is waited for. */
export const waitKinds = ["job", "rollout"] as const;

/** Kind of what is waited for. */
export type WaitKind = (typeof waitKinds)[number];

/** Where a wait looks, and how long. It is in the state and in the environment: no secret is in it. */
export interface WaitTarget extends ClusterTarget {
  /** Name of the Job or of the Deployment. */
  readonly name: string;
  /** How long it may take. */
  readonly timeoutSeconds: number;
  /**
   * What the Job is labelled with.
   *
   * @defaultValue Unity's
   */
  readonly workload?: string | undefined;
}
