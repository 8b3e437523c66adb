import { beyond, pending } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";
import type { Approval } from "./approvals.ts";
import { type EvaluatedRevision, evaluate, withoutNewTables } from "./findings.ts";
import type { LiveState } from "./live-state.ts";
import type { Direction } from "./plan-hash.ts";
import { type RunningRelease, runningRelease, withoutNewObjects } from "./running-release.ts";

/** The changes that bring a database to its target. */
export interface Work {
  /** Whether revisions are applied or downgraded. */
  readonly direction: Direction;
  /** Rows of the version table at the start; `null` if nothing is pending, or they are unknown. */
  readonly from: readonly string[] | null;
  /** In the order of their upgrades or downgrades; `null` if unknown. */
  readonly revisions: readonly LockedRevision[] | null;
  /** The same revisions, evaluated, without findings and locks that concern only what they create. */
  readonly seen: readonly EvaluatedRevision[] | null;
  /** Whether the running release keeps working; `null` for a downgrade, and if none runs, or nothing is pending. */
  readonly release: RunningRelease | null;
}

/** The inputs of the work besides the state of the database. */
export interface WorkInputs {
  readonly lock: Lock;
  /** @defaultValue the lockfile's heads */
  readonly targetRevision?: string | undefined;
  readonly approvals: readonly Approval[];
}

/** Determines the changes that lead from a state to the target. */
export function workOf(state: LiveState, { lock, targetRevision, approvals }: WorkInputs): Work {
  const upgrade = (from: readonly string[]): Work => {
    const revisions = pending(lock, from, targetRevision === undefined ? lock.heads : [targetRevision]);
    const release = runningRelease(lock, from, revisions);
    const seen = evaluate(withoutNewTables(withoutNewObjects(revisions, release)), approvals);
    return { direction: "upgrade", from, revisions, seen, release };
  };
  switch (state.kind) {
    case "not-deployed":
    case "never-applied":
      return upgrade([]);
    case "behind":
      return upgrade(state.revisions);
    case "beyond-target": {
      const revisions = beyond(lock, state.revisions, state.target);
      const seen = evaluate(revisions, approvals);
      return { direction: "downgrade", from: state.revisions, revisions, seen, release: null };
    }
    case "at-head":
    case "ahead":
      return { direction: "upgrade", from: null, revisions: [], seen: [], release: null };
    default:
      return { direction: "upgrade", from: null, revisions: null, seen: null, release: null };
  }
}
