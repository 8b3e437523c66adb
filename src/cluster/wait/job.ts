import { setTimeout as delay } from "node:timers/promises";
import { lastJobAnnotation, names, serviceAccounts } from "../../manifests/names.ts";
import type { Kubectl } from "../kubectl.ts";
import type { Job } from "../objects.ts";
import { workloadSelector } from "../pods.ts";
import { evaluateJob, hasStarted, type JobItem, jobOf } from "./evaluate-job.ts";
import type { WaitTarget } from "./target.ts";
import type { Waiter } from "./wait.ts";

/** How often and how far apart an ended Job is asked whether it has noticed. */
const ending = { times: 20, milliseconds: 250 } as const;

/** The migrate Job: waits until it is complete. */
export function migrateJob(kubectl: Kubectl, name: string, workload: string = names.migrateJob): Waiter {
  let items: readonly JobItem[] = [];
  const poll = async () => {
    ({ items } = await kubectl.get<{ items: JobItem[] }>("jobs,pods", workloadSelector(workload)));
    const { job, pods } = jobOf(name, items);
    const warnings = job === undefined || pods.length > 0 ? [] : await warningsOf(kubectl, job);
    return evaluateJob(name, items, warnings);
  };
  return {
    title: `Job ${name}`,
    poll,
    see: ["describe", `job/${name}`],
    advice: "Nothing after it was touched: the old backend serves on.",
    async giveUp() {
      const { failed } = await poll();
      if (failed !== undefined || hasStarted(jobOf(name, items).pods)) return undefined;
      // It would start by itself once it can, long after the update has failed: its deadline ends it here and now, and
      // the next update makes another attempt.
      const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
      await kubectl.run(["patch", `job/${name}`, "--type=merge", `--patch=${patch}`]);
      for (let look_ = 0; look_ < ending.times; look_++) {
        if ((await poll()).failed !== undefined) break;
        await delay(ending.milliseconds);
      }
      return "The Job never started; it was ended, so that it doesn't start unwatched.";
    },
  };
}

/**
 * Notes which Job is waited for, where the next update finds it: Pulumi's state goes on to have a Job that somebody deletes,
 * so that only another name makes a new one. Without the note an update after that needs `--refresh`. Jobs of another
 * workload are not noted: nobody looks for them there.
 */
export async function noteLast(
  kubectl: Kubectl,
  { name, workload = names.migrateJob }: Pick<WaitTarget, "name" | "workload">,
): Promise<void> {
  if (workload !== names.migrateJob) return;
  const args = [
    "annotate",
    "--overwrite",
    "serviceaccount",
    serviceAccounts.migrations,
    `${lastJobAnnotation}=${name}`,
  ];
  await kubectl.run(args).catch(() => {});
}

/** Returns the messages of a Job's Warning events, oldest first. */
export async function warningsOf(kubectl: Kubectl, { metadata }: Job): Promise<readonly string[]> {
  const selector = `--field-selector=involvedObject.uid=${metadata.uid},type=Warning`;
  const { items } = await kubectl.get<{ items: { message?: string }[] }>(
    "events",
    selector,
    "--sort-by=.lastTimestamp",
  );
  return items.map(({ message = "" }) => message).filter((message) => message !== "");
}
