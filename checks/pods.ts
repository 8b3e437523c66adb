import { workloadSelector } from "../cluster/pods.ts";
import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import { names } from "../manifests/names.ts";
import type { Check } from "./check.ts";
import type { Finding } from "./result.ts";

/** Judges a Deployment with its ReplicaSets and pods: as many pods as wanted, all of the newest ReplicaSet, all ready. */
export function judgePods(items: readonly RolloutItem[]): Finding {
  const rollout = rolloutOf(items);
  if (rollout === undefined) return { passed: false, expected: "a Deployment", found: "none" };
  const { wanted, ready, old, complete } = rollout;
  return {
    passed: complete,
    expected: `${wanted} of ${wanted} pods ready, none of an older ReplicaSet`,
    found: `${ready} of ${wanted} pods ready, ${old.length} of an older ReplicaSet`,
  };
}

/** All pods ready and of the new ReplicaSet: what the rollout was waited for, still so. */
export const pods: Check = {
  title: "Every pod is ready and runs the new release.",
  command: ({ context, namespace }) => `kubectl --context ${context} get pods -n ${namespace}`,
  async run(kubectl) {
    const selector = workloadSelector(names.backend);
    const { items } = await kubectl.get<{ items: RolloutItem[] }>("deployments,replicasets,pods", selector);
    return judgePods(items);
  },
};
