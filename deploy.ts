import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { CheckResults } from "./checks/result.ts";
import { BackendDeployment } from "./components/backend-deployment.ts";
import { createDatabase } from "./components/database.ts";
import { MigrationJob } from "./components/migration-job.ts";
import { NetworkPolicies } from "./components/network-policies.ts";
import { PostDeployVerification } from "./components/post-deploy-verification.ts";
import { namespaceLabels } from "./manifests/security.ts";
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
 * @param existingVersion Changes when the backend's Secret does, if others made it.
 * @returns The stack's outputs.
 */
export function deploy(
  settings: Settings,
  chain: Release,
  { attempt }: JobAttempt,
  existingVersion: string | undefined,
): StackOutputs {
  const { context, imagePullPolicy, databaseSecrets: secrets } = settings;
  const provider = new k8s.Provider(
    "cluster",
    // A Secret that were replaced would take the Deployment with it, which refers to its version: deleted first, then made.
    { context, namespace: settings.namespace, upsertExistingObjects: true, enableSecretMutable: true },
    { transformations: [withoutKubeconfig] },
  );
  const metadata = { name: settings.namespace, labels: namespaceLabels };
  const { name: namespace } = new k8s.core.v1.Namespace("namespace", { metadata }, { provider, retainOnDelete: true })
    .metadata;

  if (settings.networkPolicies)
    new NetworkPolicies("network-policies", { namespace, database: settings.database }, { provider });
  const database = createDatabase(
    "postgres",
    { namespace, imagePullPolicy, secrets, ...settings.database },
    { provider },
  );
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
      secretVersion: database.secretVersion ?? existingVersion,
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
