import { type Change, formatPath } from "../diff.ts";
import { unsupported } from "../errors.ts";
import type { KubeObject } from "./client.ts";

/** Kinds that this program declares, with the fields whose change needs a new object, as in the provider's `diff.go`. */
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
/** Kinds whose wait in the provider the engine doesn't implement. */
const needSkipAwait = ["PersistentVolumeClaim", "Service"];
const identity = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

const annotation = ({ metadata }: KubeObject, name: string): unknown => metadata.annotations?.[`pulumi.com/${name}`];
const isTrue = (value: unknown): boolean => value === true || value === "true";

export const skipsAwait = (object: KubeObject): boolean => isTrue(annotation(object, "skipAwait"));
/** Whether to take fields from other managers. */
export const isForced = (object: KubeObject): boolean => isTrue(annotation(object, "patchForce"));
export const fieldManager = (object: KubeObject): string =>
  String(annotation(object, "patchFieldManager") ?? "pulumi-kubernetes");
export const isNamespaced = ({ kind }: KubeObject): boolean => kind !== "Namespace";

/** Throws for an object that only the Pulumi CLI supports. */
export function rejectUnsupported(object: KubeObject): void {
  const kind = `${object.apiVersion}/${object.kind}`;
  if (kinds[kind] === undefined) throw unsupported(`the kind ${kind}`);
  if (object.metadata?.name === undefined) throw unsupported(`a ${object.kind} without metadata.name`);
  const annotations = Object.keys(object.metadata.annotations ?? {});
  const other = annotations.find((key) => /^pulumi\.com\/(?!(skipAwait|patchForce|patchFieldManager)$)/.test(key));
  if (other !== undefined) throw unsupported(`the annotation ${other}`);
  if (needSkipAwait.includes(object.kind) && !skipsAwait(object))
    throw unsupported(`a ${object.kind} without the annotation pulumi.com/skipAwait`);
}

/**
 * Whether a change, at such a field or above or below it, needs a new object.
 *
 * @param mutableSecrets - Whether the provider updates Secrets in place.
 */
export function needsReplacement({ path }: Change, { apiVersion, kind }: KubeObject, mutableSecrets: boolean): boolean {
  const changed = `${formatPath(path)}.`;
  const own = kind === "Secret" && mutableSecrets ? ["type"] : (kinds[`${apiVersion}/${kind}`] ?? []);
  const fields = [...identity, ...own].map((field) => `${field}.`);
  return fields.some((field) => changed.startsWith(field) || field.startsWith(changed));
}
