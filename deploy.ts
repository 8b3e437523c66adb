import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { CheckResults } from "./checks/result.ts";
import { BackendDeployment } from "./components/backend-deployment.ts";
import { clusterProvider } from "./components/cluster-provider.ts";
import { createDatabase } from "./components/database.ts";
import { MigrationJob } from "./components/migration-job.ts";
import { PostDeployVerification } from "./components/post-deploy-verification.ts";
import type { JobAttempt } from "./migrations/job-identity.ts";
import type { Release } from "./release.ts";
import { backendOptions, checkTarget, migrationOptions } from "./release-options.ts";
import type { Settings } from "./settings.ts";

/** The stack's outputs. */
export interface StackOutputs {
  /** The revision that the database is at after this update. */
  readonly head: string;
  /** Name of the migrate Job that brought it there. */
  readonly jobName: string;
  /** What each check found, by its name. */
  readonly checks: pulumi.Output<CheckResults>;
}

/**
 * Declares the whole deployment: database, migrate Job, backend, checks, each after the one before.
 *
 * @param attempt The migrate Job that the plan asks for.
 * @returns The stack's outputs.
 */
export function deploy(settings: Settings, chain: Release, { attempt }: JobAttempt): StackOutputs {
  const { context, imagePullPolicy } = settings;
  const provider = clusterProvider("cluster", settings);
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
  return { head: chain.head, jobName: migration.jobName, checks: verification.results };
}
