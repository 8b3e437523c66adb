import { chainCommand } from "../command-line.ts";
import { type CommandTarget, clusterName, kubectlCommand } from "../kubectl-command.ts";
import { applied, beyond, pending } from "../lockfile/chain.ts";
import type { Lock } from "../lockfile/lock.ts";
import { versionTableName } from "../lockfile/version-table.ts";
import { type Remedies, stackRemedies } from "./remedies.ts";
import { describeWindowEnd, type RollbackWindow } from "./rollback-window.ts";

/** The result of reading the database's revision, before it is compared with the lockfile. */
export type Reading =
  | {
      readonly kind: "rows";
      /** Rows of the version table, sorted; `null` if the table doesn't exist. */
      readonly rows: readonly string[] | null;
      /** The database that was queried; absent if the rows are a record. */
      readonly database?: DatabaseIdentity;
      /** Absent if the lockfile contains the revision, or no record of it can be read. */
      readonly window?: RollbackWindow;
    }
  /** The namespace has no pod that could query the database. */
  | { readonly kind: "not-deployed" }
  | Unreachable;

/** Identity of a database. A restored dump is another database, and so is one that was created again. */
export interface DatabaseIdentity {
  readonly name: string;
  /** Object identifier in its server. */
  readonly oid: string;
  /** System identifier of its server, from `initdb`; `null` if the role may not read it. */
  readonly system: string | null;
}

/** A failure to connect to the API server, or to the database through existing pods. */
export interface Unreachable {
  readonly kind: "unreachable";
  readonly what: "cluster" | "database";
  readonly cause: string;
}

/** The database's position in the chain of the lockfile. */
export type LiveState =
  | { readonly kind: "not-deployed" }
  | { readonly kind: "never-applied" }
  /** Several revisions only on branches that are not merged yet. */
  | { readonly kind: "behind"; readonly revisions: readonly string[]; readonly pending: number }
  | { readonly kind: "at-head"; readonly revision: string }
  /** Has every revision up to the target, and later ones. */
  | {
      readonly kind: "beyond-target";
      readonly revisions: readonly string[];
      readonly target: string;
      readonly undo: number;
    }
  /** At a revision that the lockfile lacks, and that the run record or the stack's settings tolerate. */
  | {
      readonly kind: "ahead";
      readonly revisions: readonly string[];
      /** Only if the run record tolerates it. */
      readonly window?: RollbackWindow;
    }
  | {
      readonly kind: "unknown-revision";
      readonly revisions: readonly string[];
      /** Only if the run record contains the revision. */
      readonly window?: RollbackWindow;
    }
  /** The version table has rows that others imply. Alembic never writes such rows. */
  | {
      readonly kind: "overlapping-revisions";
      readonly revisions: readonly string[];
      readonly implied: readonly string[];
    }
  | Unreachable;

/** Describes a state, and what to do about it. */
export interface Description {
  readonly message: string;
  readonly remediation: string;
}

/** The revisions that a stack allows its database to be at. */
export interface TargetOptions {
  /**
   * A revision of the lockfile.
   *
   * @defaultValue the lockfile's head
   */
  readonly targetRevision?: string | undefined;
  /**
   * Revisions that the lockfile lacks.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[];
}

/**
 * Determines the database's position in the chain.
 *
 * A revision that the lockfile lacks may be newer, or belong to a different chain. It counts as unknown unless the run
 * record or the stack tolerates it: then the release supports it, and the database is ahead.
 *
 * @param lock - A lockfile with one head.
 */
export function classify(reading: Reading, lock: Lock, targetOptions: TargetOptions = {}): LiveState {
  if (reading.kind !== "rows") return reading;
  const { targetRevision, toleratedRevisions: tolerated = [] } = targetOptions;
  const rows = reading.rows ?? [];
  if (rows.length === 0) return { kind: "never-applied" };

  const known = new Set(lock.revisions.map(({ id }) => id));
  const foreign = rows.filter((row) => !known.has(row));
  const window = foreign.length > 0 && reading.window !== undefined ? { window: reading.window } : {};
  const heads = targetRevisions(lock, targetOptions);
  if (rows.length === 1 && heads.length > 0 && heads.every((head) => window.window?.heads.includes(head)))
    return { kind: "ahead", revisions: foreign, ...window };
  const unknown = foreign.filter((row) => !tolerated.includes(row));
  if (unknown.length > 0) return { kind: "unknown-revision", revisions: unknown, ...window };
  if (foreign.length > 0) {
    const implied = rows.filter((row) => known.has(row));
    if (implied.length > 0 || foreign.length > 1) return { kind: "overlapping-revisions", revisions: rows, implied };
    return { kind: "ahead", revisions: foreign };
  }

  const implied = rows.filter((row, index) => applied(lock.revisions, rows.toSpliced(index, 1)).has(row));
  if (implied.length > 0) return { kind: "overlapping-revisions", revisions: rows, implied };
  const left = pending(lock, rows, targetRevisions(lock, targetOptions)).length;
  if (left > 0) return { kind: "behind", revisions: rows, pending: left };
  if (targetRevision !== undefined) {
    const undo = beyond(lock, rows, targetRevision).length;
    if (undo > 0) return { kind: "beyond-target", revisions: rows, target: targetRevision, undo };
  }
  return { kind: "at-head", revision: rows.join(", ") };
}

function targetRevisions(lock: Lock, { targetRevision }: TargetOptions): readonly string[] {
  return targetRevision === undefined ? lock.heads : [targetRevision];
}

/** Whether the update can't proceed until an operator corrects the state. Preview and `up` then stop before any change. */
export function requiresManualAction(state: LiveState): boolean {
  switch (state.kind) {
    case "unknown-revision":
    case "overlapping-revisions":
      return true;
    case "unreachable":
      // The update may be what fixes the database. The runner reads the revision again before it changes anything.
      return state.what === "cluster";
    default:
      return false;
  }
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
        message: `Database is at ${state.revisions.join(", ")}, which is not in the lockfile (${count(total)}).${windowEnd}`,
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
  return revisions === total ? count(total) : `${revisions} of ${count(total)}`;
}

function count(revisions: number): string {
  return revisions === 1 ? "1 revision" : `${revisions} revisions`;
}
