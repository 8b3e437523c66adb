import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import type { CheckFinding } from "./result.ts";

/** Judges a Deployment with its ReplicaSets and pods: as many pods as wanted, all of the newest ReplicaSet, all ready. */
export function judgePods(items: readonly RolloutItem[]): CheckFinding {
  const rollout = rolloutOf(items);
  if (rollout === undefined) return { passed: false, expected: "a Deployment", found: "none" };
  const { wanted, ready, old, complete } = rollout;
  return {
    passed: complete,
    expected: `${wanted} of ${wanted} pods ready, none of an older ReplicaSet`,
    found: `${ready} of ${wanted} pods ready, ${old.length} of an older ReplicaSet`,
  };
}
