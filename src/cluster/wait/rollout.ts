import type { Kubectl } from "../kubectl.ts";
import { workloadSelector } from "../pods.ts";
import type { RolloutItem } from "../rollout.ts";
import { evaluateRollout, failedBefore, overdueSince, rejectedReplicaSet } from "./evaluate-rollout.ts";
import type { Waiter } from "./wait.ts";

async function list(kubectl: Kubectl, name: string): Promise<readonly RolloutItem[]> {
  const selector = workloadSelector(name);
  return (await kubectl.get<{ items: RolloutItem[] }>("deployments,replicasets,pods", selector)).items;
}

/**
 * A Deployment's rollout: waits until every pod is of the new release and serves, and the old ones are gone.
 *
 * An update after one that failed finds pods that Kubernetes will try again only after minutes: they are deleted, so
 * that what was mended shows at once.
 */
export async function rollout(kubectl: Kubectl, name: string): Promise<Waiter> {
  const before = await list(kubectl, name).catch(() => []);
  const [failed, rejected] = [failedBefore(before), rejectedReplicaSet(before)];
  if (failed.length > 0) {
    console.log(`Tried again: ${failed.join(", ")}, which failed before`);
    await kubectl.run(["delete", "pods", ...failed, "--ignore-not-found", "--wait=false"]);
  }
  // Any change makes its controller try at once.
  if (rejected !== undefined) {
    await kubectl.run(["annotate", "--overwrite", "replicaset", rejected, `unity/tried-again=${Date.now()}`]);
  }
  const overdueBefore = overdueSince(before);
  return {
    title: `Rollout of ${name}`,
    see: ["describe", `deployment/${name}`],
    poll: async () => evaluateRollout(name, await list(kubectl, name), overdueBefore),
    advice: "No pod of the release before goes until a new one is ready.",
  };
}
