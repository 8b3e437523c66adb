import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "./cluster/kubectl.ts";
import { readLive } from "./cluster/live-state.ts";
import { type MigrationOptions, migration } from "./manifests/migrate-job.ts";
import { names } from "./manifests/names.ts";
import type { JobAttempt } from "./migrations/job-identity.ts";
import { makePlan, type Plan } from "./migrations/plan.ts";
import { describePlan } from "./migrations/plan-report.ts";
import type { Release } from "./release.ts";
import type { Settings } from "./settings.ts";

/** What a release brings that decides on the migration. */
export type Chain = Pick<Release, "lock" | "head" | "runnerFiles">;

/** @returns What the migration of a release is made of, for the plan and for the component alike. */
export function migrationOptions(settings: Settings, { lock, head, runnerFiles }: Chain): MigrationOptions {
  const { imagePullPolicy, budget, toleratedRevisions, allowDowngrade, restorePoint } = settings;
  return {
    image: settings.migrationImage ?? settings.image,
    imagePullPolicy,
    secretName: names.databaseSecret,
    budget,
    lock,
    runnerFiles,
    toleratedRevisions,
    targetRevision: lock.heads.includes(head) ? undefined : head,
    allowDowngrade,
    restorePointImage: restorePoint?.image,
  };
}

/** @returns What an update with these settings would do to the database that is there now; nothing is changed. */
export async function planUpdate(settings: Settings, chain: Chain): Promise<Plan> {
  const { context, namespace, toleratedRevisions } = settings;
  const target = { context, namespace };
  const firstJobName = migration(migrationOptions(settings, chain)).jobName(1);
  const live = await readLive(new Kubectl(target), settings.database.kind === "owned");
  return makePlan({ ...live, lock: chain.lock, firstJobName, toleratedRevisions, target });
}

/**
 * Plans the update and shows the plan, in preview as in `up`.
 *
 * @returns The migrate Job that the plan asks for.
 * @throws {pulumi.RunError} If only a person can decide what to do: with what to do.
 */
export async function showPlan(settings: Settings, chain: Chain): Promise<JobAttempt> {
  const plan = await planUpdate(settings, chain);
  if (plan.job === null) throw new pulumi.RunError(describePlan(plan));
  await pulumi.log.info(describePlan(plan));
  return plan.job;
}
