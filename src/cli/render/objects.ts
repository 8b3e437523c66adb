import { unity } from "../../manifests/app.ts";
import { backendDeploymentSpec, backendServiceSpec, disruptionBudgetSpec } from "../../manifests/backend.ts";
import { migration } from "../../manifests/migrate-job.ts";
import { labels, names, serviceAccounts } from "../../manifests/names.ts";
import { networkPolicies } from "../../manifests/network-policies.ts";
import type { PodConfig } from "../../manifests/pod-config.ts";
import { restorePointsClaimSpec } from "../../manifests/restore-points.ts";
import { accessRules, roleRules, type Task } from "../../manifests/roles.ts";
import { namespaceLabels, serviceAccountObject } from "../../manifests/security.ts";
import { backendOptions, migrationOptions } from "../../preflight/options.ts";
import { accessOptions } from "../../preflight/permissions.ts";
import type { Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly [part: string]: unknown;
}

/** Objects of a release, without its database and Secrets. */
export interface ReleaseObjects {
  /** In the order of creation. */
  readonly migration: readonly KubernetesObject[];
  readonly backend: readonly KubernetesObject[];
  /** Empty if the stack has no network policies. */
  readonly network: readonly KubernetesObject[];
}

/**
 * Returns the objects that the program declares for a release, built by the same functions as the components. The Job's
 * name has no hash, so that it is easy to type.
 */
export function releaseObjects(settings: Settings, release: Release): ReleaseObjects {
  const { namespace, restorePoint, replicas } = settings;
  const metadata = (name: string, workload: string) => ({ name, namespace, labels: labels(workload) });
  const { configMapName, files, jobSpec } = migration(migrationOptions(settings, release));
  const backend = metadata(names.backend, names.backend);
  const spec = backendDeploymentSpec({ ...backendOptions(settings, release), configMapName });
  const account = (name: string, workload: string, { serviceAccountAnnotations }: PodConfig) => {
    const object = serviceAccountObject(name, workload, serviceAccountAnnotations);
    return { ...object, metadata: { ...object.metadata, namespace } };
  };
  const migrationObjects: KubernetesObject[] = [
    account(serviceAccounts.migrations, names.migrateJob, settings.pods.migration),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata(configMapName, names.migrateJob),
      immutable: true,
      data: files,
    },
  ];
  if (restorePoint !== undefined)
    migrationObjects.push({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: metadata(names.restorePoints, names.migrateJob),
      spec: restorePointsClaimSpec(restorePoint.storage),
    });
  const jobMetadata = metadata(names.migrateJob, names.migrateJob);
  migrationObjects.push({ apiVersion: "batch/v1", kind: "Job", metadata: jobMetadata, spec: jobSpec() });
  const backendObjects: KubernetesObject[] = [
    account(serviceAccounts.backend, names.backend, settings.pods.backend),
    { apiVersion: "v1", kind: "Service", metadata: backend, spec: backendServiceSpec(unity) },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: backend, spec },
  ];
  const disruptionBudget = disruptionBudgetSpec(replicas, unity);
  if (disruptionBudget !== undefined)
    backendObjects.push({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: backend,
      spec: disruptionBudget,
    });
  const policies = settings.networkPolicies ? networkPolicies(settings.database) : [];
  const network = policies.map((policy) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(policy.name, names.networkPolicies),
    spec: policy.spec,
  }));
  return { migration: migrationObjects, backend: backendObjects, network };
}

/** Returns the namespace that an administrator creates. */
export function namespaceObject({ namespace, podSecurityStandard }: Settings): KubernetesObject {
  const labels = namespaceLabels(podSecurityStandard);
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels } };
}

const accounts: readonly { readonly task: Task; readonly role: string; readonly group: string }[] = [
  { task: "update", role: "unity-operator", group: "unity-operators" },
  { task: "preview", role: "unity-previewer", group: "unity-previewers" },
];

/** Returns a Role for each task on a stack, each bound to a group of accounts. */
export function accessObjects(settings: Settings): readonly KubernetesObject[] {
  const { namespace } = settings;
  const apiGroup = "rbac.authorization.k8s.io";
  return accounts.flatMap(({ task, role, group }) => {
    const metadata = { name: role, namespace, labels: labels(role) };
    const apiVersion = `${apiGroup}/v1`;
    return [
      { apiVersion, kind: "Role", metadata, rules: roleRules(accessRules(task, accessOptions(settings))) },
      {
        apiVersion,
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup, kind: "Role", name: role },
        subjects: [{ apiGroup, kind: "Group", name: group }],
      },
    ];
  });
}
