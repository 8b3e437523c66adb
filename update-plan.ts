import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "./cluster/kubectl.ts";
import { type Live, readLive } from "./cluster/live-state.ts";
import type { Chain } from "./load-chain.ts";
import { migration } from "./manifests/migrate-job.ts";
import { unknownApprovals } from "./migrations/approvals.ts";
import type { JobAttempt } from "./migrations/job-identity.ts";
import { makePlan, type Plan } from "./migrations/plan.ts";
import { describePlan } from "./migrations/plan-report.ts";
import { migrationOptions } from "./release-options.ts";
import type { Settings } from "./settings.ts";
import { askAccess } from "./stack-access.ts";

/**
 * @param live What the cluster says, if it was asked already.
 * @returns What an update with these settings would do to the database that is there now; nothing is changed.
 * @throws {pulumi.RunError} If the stack approves what no revision of the chain is found guilty of.
 */
export async function planUpdate(settings: Settings, chain: Chain, live?: Live): Promise<Plan> {
  const { context, namespace, approvals, planHash: pinnedHash } = settings;
  const { lock } = chain;
  const unknown = unknownApprovals(lock, approvals);
  if (unknown.length > 0) {
    const mend = "Correct them in the stack's file, or remove one: pulumi config rm --path 'approvals[<index>]'";
    throw new pulumi.RunError(`The stack approves what is not in the chain:\n  - ${unknown.join("\n  - ")}\n${mend}`);
  }
  const target = { context, namespace };
  const options = migrationOptions(settings, chain);
  const firstJobName = migration(options).jobName(1);
  const asked = live ?? (await readLive(new Kubectl(target), settings.database.kind === "owned"));
  return makePlan({ ...asked, ...options, firstJobName, approvals, pinnedHash, target });
}

/**
 * Plans the update and shows the plan, in preview as in `up`.
 *
 * @returns The migrate Job that the plan asks for.
 * @throws {pulumi.RunError} If the account may not do it, only a person can decide what to do, or the stack does not
 * allow it: with what to do.
 */
export async function showPlan(settings: Settings, chain: Chain): Promise<JobAttempt> {
  const task = pulumi.runtime.isDryRun() ? "preview" : "update";
  const [plan, access] = await Promise.all([planUpdate(settings, chain), askAccess(settings, task)]);
  if (access !== "granted" && "missing" in access) throw new pulumi.RunError(access.missing);
  if (plan.job === null) throw new pulumi.RunError(describePlan(plan));
  if (access !== "granted") await pulumi.log.warn(`The account's rights can't be asked for: ${access.unknown}`);
  await pulumi.log.info(describePlan(plan));
  return plan.job;
}
