import { setTimeout as delay } from "node:timers/promises";
import { lastJobAnnotation, migratedAnnotation, names } from "../../manifests/names.ts";
import { runnerNames } from "../../manifests/runner.ts";
import { type Cause, logArgs } from "../causes.ts";
import { settled } from "../database-query.ts";
import { type Kubectl, redact } from "../kubectl.ts";
import type { Job } from "../objects.ts";
import { workloadSelector } from "../pods.ts";
import { evaluateJob, type JobItem, jobOf, stageOf, startFailure, statusOf } from "./evaluate-job.ts";
import type { PollResult } from "./poll-result.ts";
import type { Waiter, WaitTarget } from "./wait.ts";

/** Polls for the end of a canceled Job. */
const cancelPolls = { count: 20, milliseconds: 250 } as const;

/**
 * Completes a Job whose runner has succeeded, though other containers keep it active or have failed. The Job's controller ends
 * its pod at the condition SuccessCriteriaMet, and adds Complete
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#termination-of-job-pods). A Job that can't complete, because
 * it has failed or the API server refuses the condition, gets an annotation.
 *
 * @returns The result: not done until the Job completes, if it can.
 */
export async function completeHeldJob(kubectl: Kubectl, name: string, result: PollResult): Promise<PollResult> {
  if (result.held === undefined) return result;
  const { sidecars } = result.held;
  if (sidecars.length > 0 && (await setSuccess(kubectl, name, sidecars))) return { ...result, done: false };
  await kubectl.run(["annotate", "--overwrite", `job/${name}`, `${migratedAnnotation}=true`]);
  return result;
}

/** Sets the condition with which a Job ends its pods and completes; false if the API server refuses it. */
async function setSuccess(kubectl: Kubectl, name: string, sidecars: readonly string[]): Promise<boolean> {
  const now = new Date().toISOString();
  const condition = {
    type: "SuccessCriteriaMet",
    status: "True",
    reason: "RunnerSucceeded",
    message: `Container ${runnerNames.container} succeeded; ${sidecars.join(", ")} would keep running`,
    lastProbeTime: now,
    lastTransitionTime: now,
  };
  const patch = JSON.stringify({ status: { conditions: [condition] } });
  const args = ["patch", `job/${name}`, "--subresource=status", "--type=strategic", `--patch=${patch}`];
  return "value" in (await settled(kubectl.run(args)));
}

/** Waiter for a migrate Job. */
interface JobWaiter extends Waiter {
  /** Returns the migration's log if its pod was ended, and the log with it. */
  log(): string | undefined;
  /** Returns the Job's UID; `undefined` if it was never found. */
  uid(): string | undefined;
}

/** Returns a waiter for the completion of a migrate Job. */
export function migrateJob(kubectl: Kubectl, target: WaitTarget): JobWaiter {
  const { name, workload = names.migrateJob, timeoutSeconds, startTimeoutSeconds = timeoutSeconds } = target;
  let items: readonly JobItem[] = [];
  let log: string | undefined;
  // The Job's controller deletes the pods of a Job that fails: what kept them from running is known only from before.
  let lastCauses: readonly Cause[] = [];
  const evaluate = async () => {
    ({ items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", workloadSelector(workload)));
    const { job, pods } = jobOf(name, items);
    const warnings = job === undefined || pods.length > 0 ? [] : await warningsOf(kubectl, job);
    const result = evaluateJob(name, items, runnerNames.container, warnings);
    if (result.failed === undefined) lastCauses = result.causes;
    return result.causes.length > 0 ? result : { ...result, causes: lastCauses };
  };
  return {
    title: `Job ${name}`,
    async poll(seconds) {
      const result = await evaluate();
      if (result.held !== undefined && result.held.sidecars.length > 0) {
        const { pod } = result.held;
        const args = logArgs({ pod, container: runnerNames.container, previous: false });
        log = await kubectl.run(args).then(redact, () => undefined);
      }
      const failed = startFailure(name, items, result, seconds, startTimeoutSeconds);
      return failed ?? completeHeldJob(kubectl, name, result);
    },
    log: () => log,
    uid: () => jobOf(name, items).job?.metadata.uid,
    kubectlArgs: ["describe", `job/${name}`],
    advice: "The previous release keeps serving. To retry, fix the error and rerun: pulumi up",
    async giveUp() {
      const result = await evaluate();
      const { failed, done } = result;
      if (done) {
        await completeHeldJob(kubectl, name, result);
        return "The migration has succeeded since.";
      }
      const { job, pods } = jobOf(name, items);
      const stage = stageOf(pods, job);
      const hasEnded = pods.some((pod) => statusOf(pod, runnerNames.container)?.state?.terminated !== undefined);
      if (failed !== undefined || (stage === "migration" && !hasEnded)) return undefined;
      // Otherwise it would start once it can, long after the update has failed, or its sidecars would keep running. The next
      // update makes another attempt.
      const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
      await kubectl.run(["patch", `job/${name}`, "--type=merge", `--patch=${patch}`]);
      for (let count = 0; count < cancelPolls.count; count++) {
        if ((await evaluate()).failed !== undefined) break;
        await delay(cancelPolls.milliseconds);
      }
      if (stage === "init container") return "Canceled the Job before its migration started.";
      if (stage === "never started") return "Canceled the Job because it never started.";
      if (stage === "migration") return "Canceled the Job because its other containers would keep running.";
      return "Canceled the Job during its restore point. The database is unchanged.";
    },
  };
}

/**
 * Records the name of the Job that is waited for, where the next update finds it. Pulumi's state keeps a Job that was
 * deleted in the cluster, so that only another name creates a new one; without the record, the update after that needs
 * `--refresh`. Jobs of tenants are not recorded: their updates don't read it.
 */
export async function recordLastJob(
  kubectl: Kubectl,
  { name, account }: Pick<WaitTarget, "name" | "account">,
): Promise<void> {
  if (account === undefined) return;
  const annotation = `${lastJobAnnotation}=${name}`;
  await kubectl.run(["annotate", "--overwrite", "serviceaccount", account, annotation]).catch(() => {});
}

/** Returns the messages of a Job's events about pods that could not be created, oldest first. */
export async function warningsOf(kubectl: Kubectl, { metadata }: Job): Promise<readonly string[]> {
  const selector = `--field-selector=involvedObject.uid=${metadata.uid},reason=FailedCreate`;
  const sorted = "--sort-by=.lastTimestamp";
  const { items } = await kubectl.get<{ items: { message?: string }[] }>("events", selector, sorted);
  return items.map(({ message }) => message).filter((message) => message !== undefined);
}
