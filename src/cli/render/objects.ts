import { backendDeploymentSpec, backendServiceSpec, disruptionBudgetSpec } from "../../manifests/backend.ts";
import { migration } from "../../manifests/migrate-job.ts";
import { labels, names, serviceAccounts } from "../../manifests/names.ts";
import { networkPolicies } from "../../manifests/network-policies.ts";
import { restorePointsClaimSpec } from "../../manifests/restore-points.ts";
import { accessRules, roleRules, type Task } from "../../manifests/roles.ts";
import { serviceAccountObject } from "../../manifests/security.ts";
import { backendOptions, migrationOptions } from "../../preflight/options.ts";
import { accessOptions } from "../../preflight/permissions.ts";
import type { Release } from "../../preflight/release.ts";
import type { Settings } from "../../settings/settings.ts";

/** A Kubernetes object as plain data. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly [part: string]: unknown;
}

/** The objects that a release consists of, beside its database and the Secret with the database's URL. */
export interface ReleaseObjects {
  /** In the order in which they are created. */
  readonly migration: readonly KubernetesObject[];
  readonly backend: readonly KubernetesObject[];
  /** None if the stack wants none. */
  readonly network: readonly KubernetesObject[];
}

/**
 * The objects that the program declares for a release, by the same functions as the components. The Job keeps its plain
 * name: whoever applies it by hand wants to type that.
 */
export function releaseObjects(settings: Settings, release: Release): ReleaseObjects {
  const { namespace, restorePoint, replicas } = settings;
  const metadata = (name: string, workload: string) => ({ name, namespace, labels: labels(workload) });
  const { configMapName, files, jobSpec } = migration(migrationOptions(settings, release));
  const backend = metadata(names.backend, names.backend);
  const spec = backendDeploymentSpec({ ...backendOptions(settings), configMapName });
  const account = (name: string, workload: string) => {
    const object = serviceAccountObject(name, workload);
    return { ...object, metadata: { ...object.metadata, namespace } };
  };
  const disruptionBudget = disruptionBudgetSpec(replicas);
  const claim = restorePoint && {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(names.restorePoints, names.migrateJob),
    spec: restorePointsClaimSpec(restorePoint.storage),
  };
  return {
    migration: [
      account(serviceAccounts.migrations, names.migrateJob),
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: metadata(configMapName, names.migrateJob),
        immutable: true,
        data: files,
      },
      ...(claim === undefined ? [] : [claim]),
      {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: metadata(names.migrateJob, names.migrateJob),
        spec: jobSpec,
      },
    ],
    backend: [
      account(serviceAccounts.backend, names.backend),
      { apiVersion: "v1", kind: "Service", metadata: backend, spec: backendServiceSpec() },
      { apiVersion: "apps/v1", kind: "Deployment", metadata: backend, spec },
      ...(disruptionBudget === undefined
        ? []
        : [{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: backend, spec: disruptionBudget }]),
    ],
    network: (settings.networkPolicies ? networkPolicies(settings.database) : []).map((policy) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: metadata(policy.name, names.networkPolicies),
      spec: policy.spec,
    })),
  };
}

const accounts: readonly { readonly task: Task; readonly role: string; readonly group: string }[] = [
  { task: "update", role: "unity-operator", group: "unity-operators" },
  { task: "preview", role: "unity-previewer", group: "unity-previewers" },
];

/** @returns A Role for each task on a stack, each bound to a group of accounts. */
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
