import * as pulumi from "@pulumi/pulumi";
import { type Adoption, planAdoption } from "../adoption/adoption.ts";
import { ownership } from "../adoption/owners.ts";
import { preserve } from "../adoption/preserve.ts";
import { preservedPod, withPreservedPod } from "../adoption/preserved-pod.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import { type Live, readLive } from "../cluster/live-state.ts";
import type { Deployment } from "../cluster/objects.ts";
import { postgresImageOf, readDataMajor } from "../cluster/wait/postgres-image.ts";
import { unity } from "../manifests/app.ts";
import { type BackendOptions, backendDeploymentSpec } from "../manifests/backend.ts";
import { migration } from "../manifests/migrate-job.ts";
import { names } from "../manifests/names.ts";
import { majorOfTag, majorVersionError } from "../manifests/postgres.ts";
import { unknownApprovals } from "../plan/approvals.ts";
import { type DriftReport, readDrift } from "../plan/drift.ts";
import type { JobAttempt } from "../plan/job-identity.ts";
import { classify } from "../plan/live-state.ts";
import { makePlan } from "../plan/plan.ts";
import { printable } from "../printable.ts";
import type { Settings } from "../settings/settings.ts";
import { reviewNamespace } from "./namespace.ts";
import { waitForOlderPods } from "./older-pods.ts";
import { backendOptions, migrationOptions } from "./options.ts";
import { reviewAccess } from "./permissions.ts";
import type { Chain } from "./release.ts";
import { combinePlans, describeUpdate, type UpdatePlan } from "./update-plan.ts";

/** Live state of a stack, with the drift of its database. */
export interface StackLive extends Live {
  /** @defaultValue not known */
  readonly drift?: DriftReport | null;
}

/** Reads the live state of a stack's database and resources. */
export async function readStackLive(settings: Settings, { lock, times }: Chain, kubectl: Kubectl): Promise<StackLive> {
  const { database } = settings;
  const state = await readLive(kubectl, database.kind === "owned", { ...lock, times });
  const live = { ...state, drift: await readDrift(state.reading, lock, settings) };
  if (database.kind !== "owned" || majorOfTag(database.image) === undefined) return live;
  const image = runningImage(live);
  if (image === undefined || image === database.image) return live;
  return { ...live, dataMajor: await readDataMajor(kubectl, names.postgres) };
}

/** Returns the image of the stack's running PostgreSQL. */
function runningImage({ objects }: Live): string | undefined {
  const deployment = objects.postgres.find((object) => object.kind === "Deployment");
  return deployment && postgresImageOf(deployment);
}

/**
 * Reads the live state, and plans an update with these settings. Makes no changes.
 *
 * @throws {pulumi.RunError} If an approval of the stack matches no finding of the chain.
 */
export async function planUpdate(settings: Settings, chain: Chain, kubectl: Kubectl): Promise<UpdatePlan> {
  return planFor(await readStackLive(settings, chain, kubectl), settings, chain);
}

/**
 * Plans an update of a live state. Production requires a pinned plan.
 *
 * @throws {pulumi.RunError} If an approval of the stack matches no finding of the chain.
 */
export function planFor(live: StackLive, given: Settings, chain: Chain): UpdatePlan {
  const settings = effectiveSettings(given, live, chain);
  const { context, namespace, approvals, environment, planHash: pinnedHash } = settings;
  const unknown = unknownApprovals(chain.lock, approvals);
  if (unknown.length > 0) {
    const fix = "Correct them in Pulumi.<stack>.yaml, or run: pulumi config rm --path 'approvals[<index>]'";
    throw new pulumi.RunError(printable(`unmatched unity:approvals:\n  - ${unknown.join("\n  - ")}\n${fix}`));
  }
  const options = migrationOptions(settings, chain);
  const firstJobName = migration(options).jobName(1);
  const target = { context, namespace };
  const pinRequired = environment === "production";
  const { objects, ...database } = live;
  const { times } = chain;
  const plan = makePlan({ ...database, ...options, times, firstJobName, approvals, pinnedHash, pinRequired, target });
  const wanted = wantedBackend(settings, chain, preservation(settings, live));
  const { podSecurityStandard: level, networkPolicies } = settings;
  const adoption = planAdoption(objects, { ...ownership(settings), target, level, networkPolicies, wanted });
  return combinePlans(plan, adoption, postgresImageError(settings, live));
}

/**
 * Returns the settings with what the live state adds: revisions that the database's run record tolerates, and the
 * configuration of adopted pods.
 */
export function effectiveSettings(settings: Settings, live: Live, chain: Chain): Settings {
  const { preservedPod } = preservation(settings, live);
  return withPreservedPod(withRollbackWindow(settings, live, chain), preservedPod);
}

/** Returns what the backend's manifests preserve of existing objects. */
function preservation({ adoptWithout }: Settings, { objects }: Live): Preservation {
  return { preserved: preserve(objects), preservedPod: preservedPod(objects, adoptWithout) };
}

/**
 * Returns the settings with the database's revision tolerated, if its run record says that the code of this release keeps
 * working. Runner, checks, and backend then tolerate it, too.
 */
function withRollbackWindow(settings: Settings, { reading }: Live, { lock }: Chain): Settings {
  const state = classify(reading, lock, settings);
  if (state.kind !== "ahead") return settings;
  return { ...settings, toleratedRevisions: [...new Set([...settings.toleratedRevisions, ...state.revisions])] };
}

/** Returns why the stack's own PostgreSQL can't run the settings' image; without a version in its tag, only `up` finds out. */
function postgresImageError({ database }: Settings, { dataMajor }: Live): string | null {
  if (database.kind !== "owned") return null;
  return majorVersionError(database.image, majorOfTag(database.image), dataMajor) ?? null;
}

/** Returns the backend's Deployment, which is compared with an existing one. */
function wantedBackend(settings: Settings, chain: Chain, preserved: Preservation): Deployment["spec"] {
  const spec = backendDeploymentSpec({ ...backendOptions(settings, chain), ...preserved, configMapName: "" });
  return spec as unknown as Deployment["spec"];
}

/** Parts of existing objects that the manifests of the backend preserve. */
export type Preservation = Pick<BackendOptions, "preserved" | "preservedPod">;

/** The parts of a plan that the program declares: the migration Job, and the adopted resources. */
export interface Planned extends JobAttempt, Preservation {
  readonly adoption: Adoption;
  /** Settings with what the live state adds. */
  readonly settings: Settings;
}

/**
 * Plans the update and prints the plan, in preview and in `up`.
 *
 * @throws {pulumi.RunError} If the account lacks permissions, the state requires manual action, or the stack's settings
 *   don't allow the plan, or pods are left whose code a pending revision breaks.
 */
export async function showPlan(settings: Settings, chain: Chain, kubectl: Kubectl): Promise<Planned> {
  const task = pulumi.runtime.isDryRun() ? "preview" : "update";
  const [live, access, requireNamespace] = await Promise.all([
    readStackLive(settings, chain, kubectl),
    reviewAccess(settings, task, kubectl),
    reviewNamespace(settings, kubectl),
  ]);
  const plan = planFor(live, settings, chain);
  if (access !== "granted" && "missing" in access) throw new pulumi.RunError(access.missing);
  if (plan.job === null) throw new pulumi.RunError(describeUpdate(plan));
  requireNamespace();
  if (access !== "granted")
    await pulumi.log.warn(printable(`can't review the permissions of the account: ${access.unknown}`));
  await pulumi.log.info(describeUpdate(plan));
  const { awaitTimeoutSeconds: timeoutSeconds } = settings.timeouts;
  await waitForOlderPods(kubectl, plan, { app: unity.partOf, lock: chain.lock, timeoutSeconds });
  const effective = effectiveSettings(settings, live, chain);
  return { ...plan.job, ...preservation(settings, live), adoption: plan.adoption, settings: effective };
}
