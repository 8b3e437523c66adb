import * as pulumi from "@pulumi/pulumi";
import { type Adoption, type AdoptionInputs, planAdoption } from "../adoption/adoption.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import type { LivePodSpec } from "../cluster/live-objects.ts";
import { type Live, readLive } from "../cluster/live-state.ts";
import { backendDeploymentSpec } from "../manifests/backend.ts";
import { migration } from "../manifests/migrate-job.ts";
import { unknownApprovals } from "../plan/approvals.ts";
import type { JobAttempt } from "../plan/job-identity.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import { describePlan } from "../plan/plan-report.ts";
import type { Settings } from "../settings/settings.ts";
import type { Chain } from "./load-chain.ts";
import { backendOptions, migrationOptions } from "./options.ts";
import { reviewAccess } from "./permissions.ts";

/** @returns What the cluster says that a stack is deployed to. */
export function readStackLive(settings: Settings, kubectl = new Kubectl(settings)): Promise<Live> {
  return readLive(kubectl, settings.database.kind === "owned");
}

/**
 * @returns What an update with these settings would do to the database that is there now; nothing is changed.
 * @throws {pulumi.RunError} If the stack approves what no revision of the chain is found guilty of.
 */
export async function planUpdate(settings: Settings, chain: Chain, kubectl?: Kubectl): Promise<Plan> {
  return planFor(await readStackLive(settings, kubectl), settings, chain);
}

/** @returns What an update would do to what is there; in production only what is pinned. @throws {pulumi.RunError} As above. */
export function planFor(live: Live, settings: Settings, chain: Chain): Plan {
  const { context, namespace, approvals, environment, planHash: pinnedHash } = settings;
  const unknown = unknownApprovals(chain.lock, approvals);
  if (unknown.length > 0) {
    const mend = "Correct them in the stack's file, or remove one: pulumi config rm --path 'approvals[<index>]'";
    throw new pulumi.RunError(`The stack approves what is not in the chain:\n  - ${unknown.join("\n  - ")}\n${mend}`);
  }
  const options = migrationOptions(settings, chain);
  const firstJobName = migration(options).jobName(1);
  const target = { context, namespace };
  const pinRequired = environment === "production";
  const owned = settings.database.kind === "owned";
  const { objects, ...asked } = live;
  const adopted = planAdoption(objects, { owned, target, wanted: wantedBackend(settings, chain) });
  return makePlan({
    ...asked,
    ...options,
    firstJobName,
    approvals,
    pinnedHash,
    pinRequired,
    target,
    adoption: adopted,
  });
}

/** What the backend's Deployment is to be, as far as it is compared with one that was set up by hand. */
function wantedBackend(settings: Settings, chain: Chain): AdoptionInputs["wanted"] {
  const { template } = backendDeploymentSpec({ ...backendOptions(settings, chain), configMapName: "" });
  return { replicas: settings.replicas, template: (template as unknown as { spec: LivePodSpec }).spec };
}

/** What the plan asks the program for: the migrate Job, and what the backend takes over. */
export interface Planned extends JobAttempt {
  readonly adoption: Adoption;
}

/**
 * Plans the update and shows the plan, in preview as in `up`.
 *
 * @returns What the plan asks for.
 * @throws {pulumi.RunError} If the account may not do it, only a person can decide what to do, or the stack does not
 * allow it: with what to do.
 */
export async function showPlan(settings: Settings, chain: Chain, kubectl?: Kubectl): Promise<Planned> {
  const task = pulumi.runtime.isDryRun() ? "preview" : "update";
  const [plan, access] = await Promise.all([
    planUpdate(settings, chain, kubectl),
    reviewAccess(settings, task, kubectl),
  ]);
  if (access !== "granted" && "missing" in access) throw new pulumi.RunError(access.missing);
  if (plan.job === null) throw new pulumi.RunError(describePlan(plan));
  if (access !== "granted") await pulumi.log.warn(`The account's rights can't be asked for: ${access.unknown}`);
  await pulumi.log.info(describePlan(plan));
  return { ...plan.job, adoption: plan.adoption };
}
