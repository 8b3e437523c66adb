import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { CheckResults } from "./checks/result.ts";
import { BackendDeployment } from "./components/backend-deployment.ts";
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
  const provider = new k8s.Provider(
    "cluster",
    { context, namespace: settings.namespace, upsertExistingObjects: true },
    { transformations: [withoutKubeconfig] },
  );
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

/**
 * The provider notes the path in `KUBECONFIG`, which is another on each operator's machine: a change to the next one, and
 * a file that may be gone. Without it, the provider finds its kubeconfig as kubectl does.
 */
function withoutKubeconfig({ props, opts }: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult {
  const { kubeconfig: _, ...rest } = props;
  return { props: rest, opts };
}
