import * as k8s from "@pulumi/kubernetes";
import { BackendDeployment } from "./components/backend-deployment.ts";
import { createDatabase } from "./components/database.ts";
import { MigrationJob } from "./components/migration-job.ts";
import { PostDeployVerification } from "./components/post-deploy-verification.ts";
import type { JobAttempt } from "./migrations/job-identity.ts";
import { addRecord, type ReleaseRecord, recordRelease } from "./promotion/record.ts";
import type { Release } from "./release.ts";
import { backendOptions, checkTarget, migrationOptions } from "./release-options.ts";
import type { Settings } from "./settings.ts";

/**
 * Declares the whole deployment: database, migrate Job, backend, checks, each after the one before.
 *
 * @param attempt The migrate Job that the plan asks for.
 * @param records Releases that this stack has recorded before.
 * @returns The stack's outputs.
 */
export function deploy(
  settings: Settings,
  chain: Release,
  { attempt }: JobAttempt,
  records: readonly ReleaseRecord[] = [],
) {
  const { context, imagePullPolicy } = settings;
  const provider = new k8s.Provider("cluster", { context, namespace: settings.namespace, upsertExistingObjects: true });
  const metadata = { name: settings.namespace };
  const { name: namespace } = new k8s.core.v1.Namespace("namespace", { metadata }, { provider, retainOnDelete: true })
    .metadata;

  const database = createDatabase("postgres", { namespace, imagePullPolicy, ...settings.database }, { provider });
  const migration = new MigrationJob(
    "migration",
    {
      ...migrationOptions(settings, chain),
      context,
      namespace,
      attempt,
      restorePointStorage: settings.restorePoint?.storage,
    },
    { provider, dependsOn: database },
  );
  const backend = new BackendDeployment(
    "backend",
    {
      ...backendOptions(settings, chain),
      context,
      namespace,
      configMapName: migration.configMapName,
      secretVersion: database.secretVersion,
    },
    { provider, dependsOn: migration },
  );
  const verification = new PostDeployVerification(
    "verification",
    { target: checkTarget(settings, chain), rollout: backend.rollout },
    { dependsOn: backend },
  );
  return {
    head: chain.head,
    jobName: migration.jobName,
    checks: verification.results,
    // Known only once the checks have passed: an update that fails leaves what was recorded before.
    releases: verification.results.apply((results) =>
      addRecord(records, recordRelease({ ...chain, ...settings }, settings.environment, results)),
    ),
  };
}
