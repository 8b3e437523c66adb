import type { Pod } from "../cluster/objects.ts";
import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import { digestOf } from "../manifests/image-reference.ts";
import { names } from "../manifests/names.ts";
import type { CheckFinding } from "./result.ts";

/** Judges a Deployment with its ReplicaSets and pods: as many pods as wanted, all of the newest ReplicaSet, all ready. */
export function evaluatePods(items: readonly RolloutItem[]): CheckFinding {
  const rollout = rolloutOf(items);
  if (rollout === undefined) return { passed: false, expected: "a Deployment", found: "none" };
  const { wanted, ready, own, old, complete } = rollout;
  return {
    passed: complete,
    expected: `${wanted} of ${wanted} pods ready, none of an older ReplicaSet`,
    found: `${ready} of ${wanted} pods ready, ${old.length} of an older ReplicaSet`,
    image: imageOf(own),
  };
}

/** @returns The digest of the image that all pods' backends run; `undefined` if it is not one, or not known. */
function imageOf(pods: readonly Pod[]): string | undefined {
  const digests = pods.map(({ status }) => {
    const container = status.containerStatuses?.find(({ name }) => name === names.backend);
    return digestOf(container?.imageID ?? "");
  });
  return new Set(digests).size === 1 ? digests[0] : undefined;
}
