import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Kubectl } from "../src/cluster/kubectl.ts";
import { readMigration } from "../src/cluster/live-migration.ts";
import { readMigrateJobs } from "../src/cluster/migrate-jobs.ts";
import { requireOwnSecret } from "../src/cluster/own-secret.ts";
import { isKnown, type ProgramTarget, resolveTarget } from "../src/cluster/program-target.ts";
import { type MigratedApp, migratedApp, ownDatabaseSecret } from "../src/manifests/app.ts";
import type { MigrationInputs } from "../src/manifests/migrate-job.ts";
import { defaultTimeouts } from "../src/manifests/timeouts.ts";
import { lockFileName } from "../src/paths.ts";
import { readDrift } from "../src/plan/drift.ts";
import { describePlan } from "../src/plan/plan-report.ts";
import { programRemedies } from "../src/plan/remedies.ts";
import { type AppState, planApp } from "../src/preflight/app-plan.ts";
import { waitForOlderPods } from "../src/preflight/older-pods.ts";
import { type Chain, chainTo, loadChain } from "../src/preflight/release.ts";
import { confirmPromotion } from "../src/promotion/promotion.ts";
import type { DatabaseSecretReference, MigrationPlanArgs, PlannedMigration } from "./migration-plan.ts";
import { parsePod, validateApprovals, validateInputs, validatePlanArguments, validUrl } from "./plan-arguments.ts";

/**
 * Reads the state of an app's database and of its migration Jobs, and plans the migration to the lockfile's head. Prints the
 * plan in previews and updates: state, pending revisions with their SQL, locks, and findings. Makes no changes.
 *
 * @example
 * ```ts
 * const plan = await planMigration({
 *   name: "notes",
 *   appFolder: "../app",
 *   image: "registry.example/notes:1.0",
 *   database: config.requireSecret("databaseUrl"),
 *   namespace: "notes",
 * });
 * ```
 * @throws {pulumi.RunError} If an argument is invalid, the lockfile doesn't match its files, the state requires manual
 *   action, or the policy doesn't allow the plan, or pods are left whose code a pending revision breaks; nothing was changed.
 */
export async function planMigration(args: MigrationPlanArgs, client?: Kubectl): Promise<PlannedMigration> {
  validatePlanArguments(args);
  const {
    name,
    appFolder,
    namespace,
    cluster = {},
    policy = {},
    timeouts = {},
    imagePullPolicy = "IfNotPresent",
  } = args;
  const { environment = "development", approvals = [], planHash: pinnedHash, restorePoint } = policy;
  const app = appOf(args);
  const whole = loadChain(appFolder);
  validateApprovals(approvals, whole.lock);
  const chain = chainTo(whole, policy.targetRevision ?? whole.head);
  const target = { ...cluster, namespace };
  const [inputs, kubectl] = await Promise.all([resolveInputs(args, app), client ?? connect(target)]);
  const known = pulumi.Output.isInstance(inputs) ? undefined : inputs;
  const records = await confirmPromotion(
    { environment, promotedFrom: policy.promotedFrom, image: known?.image, app: name },
    chain,
  );
  const [live] = await Promise.all([
    readLive(kubectl, app, chain, args.workloads ?? []),
    isReference(args.database) || kubectl === undefined ? undefined : requireOwnSecret(kubectl, ownDatabaseSecret(app)),
  ]);
  const { tls, applicationRole, podSecurityStandard } = args;
  const { driftIgnore } = policy;
  const rules = { driftIgnore, applicationRole: applicationRole?.name, appFolder };
  const planned = planApp({
    ...live,
    drift: await readDrift(live.reading, whole.lock, rules),
    options: {
      app,
      imagePullPolicy,
      tls,
      applicationRole,
      podSecurityStandard,
      timeouts: defaultTimeouts(timeouts),
      lock: chain.lock,
      runnerFiles: chain.runnerFiles,
      toleratedRevisions: policy.toleratedRevisions ?? [],
      targetRevision: chain.head === whole.head ? undefined : chain.head,
      allowDowngrade: policy.allowDowngrade ?? false,
      restorePointImage: restorePoint?.image,
      ...(driftIgnore && { driftIgnore }),
    },
    times: chain.times,
    inputs: known,
    approvals,
    pinnedHash,
    pinRequired: environment === "production",
    target,
  });
  const { options } = planned;
  const missing = "The cluster doesn't exist yet; database revision unknown.";
  const report = kubectl === undefined ? { ...planned.report, message: missing } : planned.report;
  const text = describePlan(report, { remedies: programRemedies });
  if (report.job === null) throw new pulumi.RunError(text);
  await pulumi.log.info(text);
  const { awaitTimeoutSeconds: timeoutSeconds } = options.timeouts;
  await waitForOlderPods(kubectl, report, { app: app.partOf, lock: chain.lock, timeoutSeconds });
  const { database } = args;
  return {
    ...target,
    options,
    inputs,
    head: report.head,
    attempt: report.job.attempt,
    jobPlan: report.job.plan,
    databaseUrl: isReference(database) ? undefined : pulumi.secret(database).apply(validUrl),
    secretVersion: isReference(database) ? database.version : undefined,
    restorePointStorage: restorePoint?.storage,
    lockFile: join(appFolder, lockFileName),
    environment,
    approvals,
    records,
    report,
  };
}

/** Returns the names of an app. Those that a program leaves undefined are the default ones. */
function appOf({ name, names = {} }: MigrationPlanArgs): MigratedApp {
  const given = Object.entries(names).filter(([, value]) => value !== undefined);
  return { ...migratedApp(name), ...Object.fromEntries(given) };
}

function isReference(database: MigrationPlanArgs["database"]): database is DatabaseSecretReference {
  return typeof database === "object" && "secretName" in database;
}

/**
 * Returns the inputs of a migration once they are known, or as an output in a preview that doesn't know them.
 *
 * @throws {pulumi.RunError} If one of them is missing or invalid, or the pod's configuration contains a secret.
 */
async function resolveInputs(
  { image, database, pod }: MigrationPlanArgs,
  app: MigratedApp,
): Promise<pulumi.Input<MigrationInputs>> {
  const secretName = isReference(database) ? database.secretName : ownDatabaseSecret(app);
  const resolvedPod = pulumi.output(pod) as unknown as pulumi.Output<unknown>;
  if (await pulumi.isSecret(resolvedPod)) {
    const fix = "put it into a Secret, and refer to it by valueFrom.secretKeyRef or envFrom";
    throw new pulumi.RunError(`invalid pod: it contains a secret, but pod specs show their values: ${fix}`);
  }
  if (await pulumi.isSecret(pulumi.output(image)))
    await pulumi.log.warn("image is a secret, but the plan, the pods, and the stack's state show it");
  const parsedPod = (await isKnown(resolvedPod))
    ? parsePod(await new Promise((resolve) => resolvedPod.apply(resolve)))
    : resolvedPod.apply(parsePod);
  const inputs = pulumi.output({ image, secretName, pod: parsedPod }) as unknown as pulumi.Output<MigrationInputs>;
  if (!(await isKnown(inputs))) return inputs;
  const known = await new Promise<MigrationInputs>((resolve) => inputs.apply(resolve));
  validateInputs(known.image, known.secretName);
  return known;
}

async function connect(target: ProgramTarget): Promise<Kubectl | undefined> {
  const resolved = await resolveTarget(target);
  return resolved && new Kubectl(resolved, { report: pulumi.log.info });
}

/** Reads an app's database and its Jobs; nothing of a cluster that doesn't exist yet. */
async function readLive(
  kubectl: Kubectl | undefined,
  app: MigratedApp,
  { lock, times }: Chain,
  workloads: readonly string[],
): Promise<AppState> {
  if (kubectl === undefined) return { reading: { kind: "not-deployed" }, jobs: [], pods: [] };
  const [jobs, { reading, pods }] = await Promise.all([
    readMigrateJobs(kubectl, app, "only"),
    readMigration(kubectl, app, { ...lock, times }, workloads),
  ]);
  return { reading, jobs, pods };
}
