import * as pulumi from "@pulumi/pulumi";
import { type Adoption, type AdoptionInputs, planAdoption } from "../adoption/adoption.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import type { LivePodSpec } from "../cluster/live-objects.ts";
import { type Live, readLive } from "../cluster/live-state.ts";
import { backendDeploymentSpec } from "../manifests/backend.ts";
import { migration } from "../manifests/migrate-job.ts";
import { unknownApprovals } from "../plan/approvals.ts";
import type { JobAttempt } from "../plan/job-identity.ts";
import { makePlan } from "../plan/plan.ts";
import type { Settings } from "../settings/settings.ts";
import type { Chain } from "./load-chain.ts";
import { backendOptions, migrationOptions } from "./options.ts";
import { reviewAccess } from "./permissions.ts";
import { combinePlans, describeUpdate, type UpdatePlan } from "./update-plan.ts";

/** @returns What the cluster says that a stack is deployed to. */
export function readStackLive({ context, namespace, database }: Settings): Promise<Live> {
  return readLive(new Kubectl({ context, namespace }), database.kind === "owned");
}

/**
 * @returns What an update with these settings would do to the database that is there now; nothing is changed.
 * @throws {pulumi.RunError} If the stack approves what no revision of the chain is found guilty of.
 */
export async function planUpdate(settings: Settings, chain: Chain): Promise<UpdatePlan> {
  return planFor(await readStackLive(settings), settings, chain);
}

/** @returns What an update would do to what is there; in production only what is pinned. @throws {pulumi.RunError} As above. */
export function planFor(live: Live, settings: Settings, chain: Chain): UpdatePlan {
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
  const plan = makePlan({ ...asked, ...options, firstJobName, approvals, pinnedHash, pinRequired, target });
  return combinePlans(plan, planAdoption(objects, { owned, target, wanted: wantedBackend(settings, chain) }));
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
export async function showPlan(settings: Settings, chain: Chain): Promise<Planned> {
  const task = pulumi.runtime.isDryRun() ? "preview" : "update";
  const [plan, access] = await Promise.all([planUpdate(settings, chain), reviewAccess(settings, task)]);
  if (access !== "granted" && "missing" in access) throw new pulumi.RunError(access.missing);
  if (plan.job === null) throw new pulumi.RunError(describeUpdate(plan));
  if (access !== "granted") await pulumi.log.warn(`The account's rights can't be asked for: ${access.unknown}`);
  await pulumi.log.info(describeUpdate(plan));
  return { ...plan.job, adoption: plan.adoption };
}
