import { pending } from "../lockfile/chain.ts";
import type { Lock, LockedRevision } from "../lockfile/lock.ts";
import type { Approval } from "./approvals.ts";
import type { LiveState } from "./live-state.ts";
import { type EvaluatedRevision, evaluate, withoutNewTables } from "./policy.ts";
import { beyond } from "./target.ts";

/** What there is to do to a database. */
export interface Work {
  /** Whether revisions are applied or undone. */
  readonly direction: "upgrade" | "downgrade";
  /** Rows of `alembic_version` that it begins at; `null` where there is nothing to do, or nobody knows. */
  readonly from: readonly string[] | null;
  /** In the order in which they are applied or undone; `null` if nobody knows. */
  readonly revisions: readonly LockedRevision[] | null;
  /** `revisions` without what concerns only tables that are new in them, judged. */
  readonly seen: readonly EvaluatedRevision[] | null;
}

/** What the work depends on, besides the database. */
export interface WorkInputs {
  readonly lock: Lock;
  /** @default the lock's heads */
  readonly targetRevision?: string | undefined;
  readonly approvals: readonly Approval[];
}

/** @returns What leads from a state to the target. */
export function workOf(state: LiveState, { lock, targetRevision, approvals }: WorkInputs): Work {
  const upgrade = (from: readonly string[]): Work => {
    const revisions = pending(lock, from, targetRevision === undefined ? lock.heads : [targetRevision]);
    return { direction: "upgrade", from, revisions, seen: evaluate(withoutNewTables(revisions), approvals) };
  };
  switch (state.kind) {
    case "not-deployed":
    case "never-applied":
      return upgrade([]);
    case "behind":
      return upgrade(state.revisions);
    case "beyond-target": {
      const revisions = beyond(lock, state.revisions, state.target);
      return { direction: "downgrade", from: state.revisions, revisions, seen: evaluate(revisions, approvals) };
    }
    case "at-head":
    case "ahead":
      return { direction: "upgrade", from: null, revisions: [], seen: [] };
    default:
      return { direction: "upgrade", from: null, revisions: null, seen: null };
  }
}
