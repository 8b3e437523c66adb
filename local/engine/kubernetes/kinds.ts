import { type Change, formatPath } from "../diff.ts";
import { unsupported } from "../errors.ts";
import type { KubeObject } from "./client.ts";

/** The kinds of this program, with the fields whose change needs a new object, as the provider's `diff.go` has them. */
const kinds: { readonly [kind: string]: readonly string[] } = {
  "v1/Namespace": [],
  "v1/Secret": ["type", "stringData", "data"],
  "v1/ConfigMap": ["binaryData", "data"],
  "v1/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "v1/Service": ["spec.clusterIP"],
  "v1/ServiceAccount": [],
  "apps/v1/Deployment": ["spec.selector"],
  "batch/v1/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "policy/v1/PodDisruptionBudget": [],
  "networking.k8s.io/v1/NetworkPolicy": [],
};
/** Kinds that the provider waits for in ways that this engine does not know. */
const needSkipAwait = ["PersistentVolumeClaim", "Service"];
const identity = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

const isTrue = (value: unknown): boolean => value === true || value === "true";
/** @returns Whether the provider is told not to wait for an object. */
export const skipsAwait = ({ metadata }: KubeObject): boolean => isTrue(metadata.annotations?.["pulumi.com/skipAwait"]);
/** @returns Whether the provider is told to take over the fields that other managers own. */
export const isForced = ({ metadata }: KubeObject): boolean => isTrue(metadata.annotations?.["pulumi.com/patchForce"]);
/** @returns Whose the fields of an object are, for the server. */
export const managerOf = ({ metadata }: KubeObject): string =>
  metadata.annotations?.["pulumi.com/patchFieldManager"] ?? "pulumi-kubernetes";
export const isNamespaced = ({ kind }: KubeObject): boolean => kind !== "Namespace";

/** Throws for an object that only the Pulumi CLI can handle. */
export function refuseUnknown(object: KubeObject): void {
  const kind = `${object.apiVersion}/${object.kind}`;
  if (kinds[kind] === undefined) throw unsupported(`the kind ${kind}`);
  if (object.metadata?.name === undefined) throw unsupported(`a ${object.kind} without metadata.name`);
  const annotations = Object.keys(object.metadata.annotations ?? {});
  const asked = annotations.find((key) => /^pulumi\.com\/(?!(skipAwait|patchForce|patchFieldManager)$)/.test(key));
  if (asked !== undefined) throw unsupported(`the annotation ${asked}`);
  if (needSkipAwait.includes(object.kind) && !skipsAwait(object))
    throw unsupported(`a ${object.kind} without the annotation pulumi.com/skipAwait`);
}

/**
 * @param mutableSecrets Whether the provider is told to change Secrets in place.
 * @returns Whether a change at a path below or above such a field needs a new object.
 */
export function needsNew({ path }: Change, { apiVersion, kind }: KubeObject, mutableSecrets: boolean): boolean {
  const changed = `${formatPath(path)}.`;
  const own = kind === "Secret" && mutableSecrets ? ["type"] : (kinds[`${apiVersion}/${kind}`] ?? []);
  const fields = [...identity, ...own].map((field) => `${field}.`);
  return fields.some((field) => changed.startsWith(field) || field.startsWith(changed));
}
