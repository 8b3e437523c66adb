import { chainCommand } from "../command-line.ts";
import { type CommandTarget, clusterName, kubectlCommand } from "../kubectl-command.ts";
import { pending } from "../lockfile/chain.ts";
import type { Lock } from "../lockfile/lock.ts";
import { versionTableName } from "../lockfile/version-table.ts";
import { pluralize } from "../pluralize.ts";
import { type LiveState, type TargetOptions, targetRevisions, type Unreachable } from "./live-state.ts";
import { type Remedies, stackRemedies } from "./remedies.ts";
import { describeWindowEnd } from "./rollback-window.ts";

/** Describes a state, and what to do about it. */
export interface Description {
  readonly message: string;
  readonly remediation: string;
}

/**
 * Describes a state and what to do about it, one line each.
 *
 * @param target - The cluster that the commands of the remediation query.
 */
export function describeState(
  state: LiveState,
  lock: Lock,
  target: CommandTarget,
  targetOptions: TargetOptions = {},
  remedies: Remedies = stackRemedies,
): Description {
  const { targetRevision } = targetOptions;
  const wanted = targetRevision === undefined ? `head ${lock.heads.join(", ")}` : `target ${targetRevision}`;
  const kubectl = kubectlCommand(target);
  const total = lock.revisions.length;
  const all = pending(lock, [], targetRevisions(lock, targetOptions)).length;
  const windowEnd =
    state.kind === "unknown-revision" && state.window !== undefined
      ? ` ${describeWindowEnd(state.window, wanted)}`
      : "";
  switch (state.kind) {
    case "not-deployed":
      return {
        message: `No running workload in namespace ${target.namespace}; database revision unknown.`,
        remediation: `To apply at most ${ofTotal(all, total)}, run: pulumi up`,
      };
    case "never-applied":
      return {
        message: "Database is uninitialized (no Alembic revision).",
        remediation: `To apply ${ofTotal(all, total)}, run: pulumi up`,
      };
    case "behind":
      return {
        message: `Database is at ${state.revisions.join(", ")}, behind ${wanted}.`,
        remediation: `To apply ${ofTotal(state.pending, total)}, run: pulumi up`,
      };
    case "at-head":
      return { message: `Database is up to date (${wanted}).`, remediation: "No action required." };
    case "beyond-target":
      return {
        message: `Database is at ${state.revisions.join(", ")}, beyond ${wanted}.`,
        remediation: `To take a restore point and downgrade ${ofTotal(state.undo, total)}, run: pulumi up`,
      };
    case "ahead":
      return {
        message:
          state.window === undefined
            ? `Database is at ${state.revisions.join(", ")}, ahead of the lockfile and tolerated by the settings.`
            : `Database is at ${state.revisions.join(", ")}, ahead of the lockfile. According to the run record, this release (${wanted}) still works.`,
        remediation: "Deploy a release whose lockfile contains this revision once there is one.",
      };
    case "unknown-revision":
      return {
        message: `Database is at ${state.revisions.join(", ")}, which is not in the lockfile (${pluralize(total, "revision")}).${windowEnd}`,
        remediation:
          `Deploy a release whose lockfile contains it (if its file is in this checkout, run: ${chainCommand("lock")}), or restore ` +
          `the database. If this release supports it, ${remedies.tolerate(state.revisions)}`,
      };
    case "overlapping-revisions":
      return {
        message: `${versionTableName(lock.versionTable)} has overlapping revisions: ${state.revisions.join(", ")}.`,
        remediation:
          `In ${versionTableName(lock.versionTable)}, delete each row that another row already includes, and each row whose changes are not in the schema${implied(state.implied)}. ` +
          `To inspect them, run: ${remedies.inspect(kubectl)}`,
      };
    case "unreachable":
      return describeUnreachable(state, clusterName(target), kubectl, remedies);
  }
}

function implied(revisions: readonly string[]): string {
  return revisions.length === 0 ? "" : ` (implied: ${revisions.join(", ")})`;
}

function describeUnreachable(
  { what, cause }: Unreachable,
  cluster: string,
  kubectl: string,
  { useOtherContext }: Remedies,
): Description {
  if (what === "database") {
    return {
      message: `Can't read the database revision: ${cause}`,
      remediation:
        "`pulumi up` may fix it: the runner reads the revision again before it changes anything. " +
        `To inspect the pods, run: ${kubectl} get pods`,
    };
  }
  return {
    message: `Can't connect to the cluster (${cluster}): ${cause}`,
    remediation:
      `To test the connection, run: ${kubectl} get jobs,deployments,services,persistentvolumeclaims. ` +
      `To list contexts, run: kubectl config get-contexts. To use another one, ${useOtherContext}`,
  };
}

function ofTotal(revisions: number, total: number): string {
  return revisions === total ? pluralize(total, "revision") : `${revisions} of ${pluralize(total, "revision")}`;
}
