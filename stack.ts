import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import {
  BackendDeployment,
  type CheckResults,
  clusterProvider,
  createDatabase,
  MigrationJob,
  NetworkPolicies,
  namespaceLabels,
  PostDeployVerification,
} from "./src/package/index.ts";
import {
  afterAdoption,
  backendOptions,
  migrationOptions,
  type Planned,
  type Release,
  type ReleaseRecord,
  type Settings,
  unityTarget,
} from "./src/package/stack.ts";

/** The stack's outputs: what the checks verified when they last ran. Each is missing if they never ran. */
export interface StackOutputs {
  /** The revision of the database. */
  readonly head: pulumi.Output<string | undefined>;
  /** Name of the migration Job. */
  readonly jobName: pulumi.Output<string | undefined>;
  /** The result of each check, by its name. */
  readonly checks: pulumi.Output<CheckResults | undefined>;
  /** The releases that were verified in this stack, the newest first, for stacks that promote from it. */
  readonly releases: pulumi.Output<readonly ReleaseRecord[]>;
}

/** Declares the namespace, which outlives the stack. Kubernetes rejects pods in it that need more privileges than Unity's. */
function createNamespace(
  { namespace: name, podSecurityStandard: level }: Settings,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const metadata = { name, labels: namespaceLabels(level) };
  return new k8s.core.v1.Namespace("namespace", { metadata }, { ...options, retainOnDelete: true }).metadata.name;
}

/** Returns the parts of a migration's plan that the settings determine. */
function migrationPlan(settings: Settings, chain: Release) {
  const { image, secretName, pod, ...options } = migrationOptions(settings, chain);
  const { environment, approvals, database, restorePoint } = settings;
  return {
    options,
    inputs: { image, secretName, pod },
    head: chain.head,
    restorePointStorage: restorePoint?.storage,
    lockFile: unityTarget.lockFile,
    environment,
    approvals,
    ownsPostgres: database.kind === "owned",
  };
}

/**
 * Declares the whole deployment in order: database, migration Job, backend, checks.
 *
 * @param planned - The parts of the plan to declare.
 * @param records - The release records of this stack so far.
 * @param existingVersion - Version of the backend's Secret, if the program doesn't create it.
 */
export function deploy(
  chain: Release,
  { attempt, plan, adoption, settings, preserved, preservedPod }: Planned,
  records: readonly ReleaseRecord[] = [],
  existingVersion?: string,
): StackOutputs {
  const { context, clusterTimeoutSeconds, imagePullPolicy, databaseSecrets: secrets } = settings;
  const { database: placement } = settings.pods;
  const common = { provider: clusterProvider("cluster", settings) };
  const namespace = settings.createNamespace ? createNamespace(settings, common) : settings.namespace;

  if (settings.networkPolicies)
    new NetworkPolicies("network-policies", { namespace, database: settings.database }, common);
  const database = createDatabase(
    "postgres",
    { context, clusterTimeoutSeconds, namespace, imagePullPolicy, secrets, placement, ...settings.database },
    common,
  );
  const migration = new MigrationJob(
    "migration",
    {
      plan: {
        ...migrationPlan(settings, chain),
        context,
        clusterTimeoutSeconds,
        namespace,
        attempt,
        jobPlan: plan,
        records,
      },
    },
    { ...common, dependsOn: database },
  );
  const backend = new BackendDeployment(
    "backend",
    {
      ...backendOptions(settings, chain),
      context,
      clusterTimeoutSeconds,
      namespace,
      configMapName: migration.configMapName,
      jobName: migration.jobName,
      secretVersion: afterAdoption(settings, adoption, database.secretVersion ?? existingVersion ?? ""),
      preserved,
      preservedPod,
    },
    { ...common, dependsOn: migration },
  );
  const { image } = settings;
  const { results, release, releases } = new PostDeployVerification(
    "verification",
    { migration, workloads: [backend], checks: unityTarget.checks, image },
    { dependsOn: backend },
  );
  // Nothing here is of this checkout: an update that excludes the checks leaves the outputs as they are.
  return {
    head: release.apply((verified) => verified?.head),
    jobName: release.apply((verified) => verified?.jobName),
    checks: results,
    releases,
  };
}
