import * as pulumi from "@pulumi/pulumi";
import type { Kubectl } from "../cluster/kubectl.ts";
import { podsOfApp, releasePod } from "../cluster/pods.ts";
import type { PollResult } from "../cluster/wait/poll-result.ts";
import { pollUntilDone } from "../cluster/wait/wait.ts";
import type { Lock } from "../lockfile/lock.ts";
import { describeWaiting, waitingRevision } from "../plan/older-releases.ts";
import type { Plan } from "../plan/plan.ts";
import { printable } from "../printable.ts";

/** App whose older pods may have to go. */
interface WaitingApp {
  /** Name of the app, as its pods' label has it. */
  readonly app: string;
  readonly lock: Lock;
  readonly timeoutSeconds: number;
}

/**
 * Waits until no pod is left whose code a pending revision breaks. Previews only show that the update will.
 *
 * @throws {pulumi.RunError} If pods are left after the time, or the cluster can't be queried: nothing was changed.
 */
export async function waitForOlderPods(
  kubectl: Kubectl | undefined,
  { waiting, pending }: Pick<Plan, "waiting" | "pending">,
  { app, lock, timeoutSeconds }: WaitingApp,
): Promise<void> {
  if (kubectl === undefined || waiting === null || pending === null || pulumi.runtime.isDryRun()) return;
  const ids = new Set(pending.map(({ id }) => id));
  const revisions = lock.revisions.filter(({ id }) => ids.has(id));
  const poll = async (): Promise<PollResult> => {
    const left = waitingRevision(lock, revisions, (await podsOfApp(kubectl, app)).flatMap(releasePod));
    return { done: left === null, progress: left === null ? "no older pods" : describeWaiting(left), causes: [] };
  };
  const { result, failure } = await pollUntilDone({
    poll,
    timeoutSeconds,
    pause: () => 1500,
    print: (line) => void pulumi.log.info(printable(line)),
  });
  if (failure === undefined) return;
  const { after } = waiting;
  const reason = failure.cause?.text ?? result.progress;
  throw new pulumi.RunError(
    printable(`${reason}
Waiting for older pods ${failure.message}; no changes were made.
Deploy the release of revision ${after.join(", ")} to these pods' workloads first, or scale them to 0.`),
  );
}
