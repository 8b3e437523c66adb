import type { TimeBudget } from "../manifests/runner.ts";

/** What every migration takes. Plain values: they decide on the objects' names. */
export interface CommonArgs {
  /** Context of the kubeconfig. */
  context: string;
  /** Kubernetes namespace, which must be there. */
  namespace: string;
  /** The app's image. */
  image: string;
  /** Always, IfNotPresent or Never. The default is IfNotPresent. */
  imagePullPolicy?: string;
  /** Folder of alembic.ini and migrations.lock.json, relative to the program's. */
  appFolder: string;
  /** How long one statement may wait for a lock on a table. The default is 5. */
  lockTimeoutSeconds?: number;
  /** How long one statement may run. The default is 300. */
  statementTimeoutSeconds?: number;
  /** How long one Job may take. The default is 600. */
  deadlineSeconds?: number;
}

/** How long the update waits past a Job's own deadline, in seconds. */
const awaitMargin = 60;

/** @returns The time budget of the arguments, with what they leave out. */
export function budgetOf(args: CommonArgs): TimeBudget {
  const { lockTimeoutSeconds = 5, statementTimeoutSeconds = 300, deadlineSeconds = 600 } = args;
  return {
    lockTimeoutSeconds,
    statementTimeoutSeconds,
    deadlineSeconds,
    awaitTimeoutSeconds: deadlineSeconds + awaitMargin,
  };
}
