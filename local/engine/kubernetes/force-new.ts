import { type Change, parsePath, touches } from "../diff.ts";
import type { KubeObject } from "./client.ts";

/** Fields whose change needs a new object, by kind, as the Kubernetes provider has them (its `provider/diff.go`). */
const fields: { readonly [kind: string]: readonly string[] } = {
  "apps/StatefulSet": [
    "podManagementPolicy",
    "revisionHistoryLimit",
    "selector",
    "serviceName",
    "volumeClaimTemplates",
  ].map((name) => `spec.${name}`),
  "apps/DaemonSet": ["spec.selector"],
  "apps/Deployment": ["spec.selector"],
  "policy/PodDisruptionBudget": [],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
  "batch/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "/PersistentVolume": ["spec.csi", "spec.hostPath", "spec.local", "spec.nfs"],
  "/ResourceQuota": ["spec.scopes"],
  "/Service": ["spec.clusterIP"],
  "/ConfigMap": ["binaryData", "data"],
  "/Secret": ["type", "stringData", "data"],
  "/Pod": ["spec"],
};
/** What a Pod takes in place all the same. */
const podInPlace = ["spec.activeDeadlineSeconds", "spec.tolerations", "spec.terminationGracePeriodSeconds"];

/** @returns Whether a change needs a new object; `mutable` says that ConfigMaps and Secrets are updated in place. */
export function needsNew({ path }: Change, object: KubeObject, mutable: boolean): boolean {
  const kind = `${object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : ""}/${object.kind}`;
  const isData = kind === "/ConfigMap" || kind === "/Secret";
  if (isData && mutable && object.immutable !== true)
    return touchesAny(path, ["metadata.name", "metadata.namespace", "type"]);
  if (kind === "/Pod" && touchesAny(path, podInPlace)) return false;
  return touchesAny(path, ["apiVersion", "kind", "metadata.name", "metadata.namespace", ...(fields[kind] ?? [])]);
}

const touchesAny = (path: Change["path"], patterns: readonly string[]): boolean =>
  patterns.some((pattern) => touches(path, parsePath(pattern)));
