import { applied, pending } from "../lockfile/chain.ts";
import { type Lock, lockCommand } from "../lockfile/lock.ts";
import { beyond } from "./target.ts";

/** What a read of the cluster found, before the lock says what it means. */
export type Reading =
  /** Rows of `alembic_version`, sorted; `null` if there is no such table. */
  | { readonly kind: "rows"; readonly rows: readonly string[] | null }
  /** No pod in the namespace that could be asked. */
  | { readonly kind: "not-deployed" }
  | Unreachable;

/** What could not be asked: the API server, or the database by way of the pods that are there. */
export interface Unreachable {
  readonly kind: "unreachable";
  readonly what: "cluster" | "database";
  readonly cause: string;
}

/** Where the database is in the chain of the lock. */
export type LiveState =
  | { readonly kind: "not-deployed" }
  | { readonly kind: "never-applied" }
  /** Several revisions only where the chain has branches that are not merged yet. */
  | { readonly kind: "behind"; readonly revisions: readonly string[]; readonly pending: number }
  | { readonly kind: "at-head"; readonly revision: string }
  /** Has all that the target needs, and more. */
  | {
      readonly kind: "beyond-target";
      readonly revisions: readonly string[];
      readonly target: string;
      readonly undo: number;
    }
  /** At revisions that this lock does not have and the stack's settings declare tolerable. */
  | { readonly kind: "ahead"; readonly revisions: readonly string[] }
  | { readonly kind: "unknown-revision"; readonly revisions: readonly string[] }
  /** `alembic_version` has rows which the others imply, as Alembic never leaves it. */
  | {
      readonly kind: "overlapping-revisions";
      readonly revisions: readonly string[];
      readonly implied: readonly string[];
    }
  | Unreachable;

/** A state for people: what holds, and what to do. */
export interface Description {
  readonly message: string;
  readonly remediation: string;
}

/** Where a stack wants its database, and what it accepts besides. */
export interface TargetOptions {
  /**
   * A revision of the lock.
   *
   * @default the lock's head
   */
  readonly targetRevision?: string | undefined;
  /** Revisions that the lock lacks. @default none */
  readonly toleratedRevisions?: readonly string[];
}

/**
 * Says where a database is in the chain.
 *
 * A lock knows its own revisions only: one that it lacks may be newer, or of another chain altogether. So it counts as
 * unknown, unless the goal tolerates it: then the release was made to run on it, and the database is ahead.
 *
 * @param lock With one head.
 */
export function classify(reading: Reading, lock: Lock, targetOptions: TargetOptions = {}): LiveState {
  if (reading.kind !== "rows") return reading;
  const { targetRevision, toleratedRevisions: tolerated = [] } = targetOptions;
  const rows = reading.rows ?? [];
  if (rows.length === 0) return { kind: "never-applied" };
  const known = new Set(lock.revisions.map(({ id }) => id));
  const foreign = rows.filter((row) => !known.has(row));
  const unknown = foreign.filter((row) => !tolerated.includes(row));
  if (unknown.length > 0) return { kind: "unknown-revision", revisions: unknown };
  if (foreign.length > 0) {
    const [ahead, implied] = [foreign, rows.filter((row) => known.has(row))];
    return implied.length > 0 || ahead.length > 1
      ? { kind: "overlapping-revisions", revisions: rows, implied }
      : { kind: "ahead", revisions: ahead };
  }
  const implied = rows.filter((row, index) => applied(lock.revisions, rows.toSpliced(index, 1)).has(row));
  if (implied.length > 0) return { kind: "overlapping-revisions", revisions: rows, implied };
  const left = pending(lock, rows, wantedHeads(lock, targetOptions)).length;
  if (left > 0) return { kind: "behind", revisions: rows, pending: left };
  const undo = targetRevision === undefined ? 0 : beyond(lock, rows, targetRevision).length;
  return targetRevision !== undefined && undo > 0
    ? { kind: "beyond-target", revisions: rows, target: targetRevision, undo }
    : { kind: "at-head", revision: rows.join(", ") };
}

function wantedHeads(lock: Lock, { targetRevision }: TargetOptions): readonly string[] {
  return targetRevision === undefined ? lock.heads : [targetRevision];
}

/** Whether only a person can decide what to do: preview and `up` stop before they declare anything. */
export function requiresManualAction(state: LiveState): boolean {
  switch (state.kind) {
    case "unknown-revision":
    case "overlapping-revisions":
      return true;
    case "unreachable":
      // A database that is down may be what this very update mends; the runner asks it again before it changes anything.
      return state.what === "cluster";
    default:
      return false;
  }
}

/** @returns One sentence and one instruction. `target` is where the commands have to look. */
export function describeState(
  state: LiveState,
  lock: Lock,
  target: { readonly context: string; readonly namespace: string },
  targetOptions: TargetOptions = {},
): Description {
  const all = pending(lock, [], wantedHeads(lock, targetOptions)).length;
  const wanted =
    targetOptions.targetRevision === undefined
      ? `head ${lock.heads.join(", ")}`
      : `target ${targetOptions.targetRevision}`;
  const kubectl = `kubectl --context ${target.context} --namespace ${target.namespace}`;
  const total = lock.revisions.length;
  switch (state.kind) {
    case "not-deployed":
      return {
        message: `Nothing in namespace ${target.namespace} can be asked for the database's revision.`,
        remediation: `Run \`pulumi up\`: it applies all that the database lacks, at most ${count(all)}.`,
      };
    case "never-applied":
      return {
        message: "Database has no revision: it was never migrated.",
        remediation: `Run \`pulumi up\`: it applies ${count(all)}.`,
      };
    case "behind":
      return {
        message: `Database is at ${state.revisions.join(", ")}, behind ${wanted}.`,
        remediation: `Run \`pulumi up\`: it applies ${count(state.pending)} of ${total}.`,
      };
    case "at-head":
      return { message: `Database is at ${wanted}: nothing to migrate.`, remediation: "Nothing to do." };
    case "beyond-target":
      return {
        message: `Database is at ${state.revisions.join(", ")}, beyond ${wanted}.`,
        remediation: `Run \`pulumi up\`: it undoes ${count(state.undo)} of ${total}, after it has taken a restore point.`,
      };
    case "ahead":
      return {
        message: `Database is ahead, at ${state.revisions.join(", ")}, which the settings tolerate: nothing to migrate.`,
        remediation: "Deploy a release that has this revision when there is one.",
      };
    case "unknown-revision":
      return {
        message: `Database is at ${state.revisions.join(", ")}, which is not among the ${total} revisions of the lock.`,
        remediation:
          `Deploy a release whose lock has it (if its file is here: \`${lockCommand}\`), or restore the database. ` +
          `If this release can run on it: pulumi config set toleratedRevisions ${state.revisions.join(",")}`,
      };
    case "overlapping-revisions":
      return {
        message: `alembic_version holds ${state.revisions.join(", ")}, which no \`alembic upgrade\` leaves behind.`,
        remediation:
          "Find out which of them the tables have, then delete the rows that are too many" +
          `${state.implied.length > 0 ? ` (implied by the rest: ${state.implied.join(", ")})` : ""}: ` +
          `${kubectl} exec deployment/unity-backend -- alembic current --verbose`,
      };
    case "unreachable":
      return describeUnreachable(state, target.context, kubectl);
  }
}

function describeUnreachable({ what, cause }: Unreachable, context: string, kubectl: string): Description {
  if (what === "database")
    return {
      message: `Database can't be asked for its revision: ${cause}`,
      remediation: `Look at ${kubectl} get pods. \`pulumi up\` may mend it: the runner asks again before it changes anything.`,
    };
  return {
    message: `Cluster of context ${context} can't be asked: ${cause}`,
    remediation:
      `Mend access until this answers: ${kubectl} get jobs,deployments,services,persistentvolumeclaims. ` +
      "Another context: kubectl config get-contexts, then pulumi config set context <name>",
  };
}

function count(revisions: number): string {
  return revisions === 1 ? "1 revision" : `${revisions} revisions`;
}
