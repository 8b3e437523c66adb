import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";
import {
  defaultContainerAnnotation,
  migratedAnnotation,
  names,
  ownerAnnotation,
  planAnnotation,
  serviceAccounts,
} from "../manifests/names.ts";
import type { SecretKeys } from "./secrets.ts";

/** Metadata of an object in the cluster. */
type Metadata = Unwrap<types.input.meta.v1.ObjectMeta> & { readonly name: string };

/** Object as `kubectl get --output=json` prints it; `Set` names the parts that the API server always sets. */
type Printed<Kind extends string, Type, Set extends keyof Type = never> = Omit<Type, "kind" | "metadata" | Set> & {
  readonly [Part in Set]-?: NonNullable<Type[Part]>;
} & { readonly kind: Kind; readonly metadata: Metadata };

export type Container = Unwrap<types.input.core.v1.Container>;
export type ContainerStatus = Unwrap<types.input.core.v1.ContainerStatus>;
export type PodSpec = Unwrap<types.input.core.v1.PodSpec>;
export type Pod = Printed<"Pod", Unwrap<types.input.core.v1.Pod>, "status">;
export type Job = Printed<"Job", Unwrap<types.input.batch.v1.Job>>;
export type Deployment = Printed<"Deployment", Unwrap<types.input.apps.v1.Deployment>, "spec"> & {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
};
export type ReplicaSet = Printed<"ReplicaSet", Unwrap<types.input.apps.v1.ReplicaSet>>;
export type Service = Printed<"Service", Unwrap<types.input.core.v1.Service>, "spec">;
type VolumeClaim = Printed<"PersistentVolumeClaim", Unwrap<types.input.core.v1.PersistentVolumeClaim>>;
type ServiceAccount = Printed<"ServiceAccount", Unwrap<types.input.core.v1.ServiceAccount>>;

/** Object of a namespace that matters to a stack. */
export type LiveObject = Deployment | Service | Job | VolumeClaim | ServiceAccount | Pod;

/** Objects that exist under the names of this project's objects, and all Jobs. */
export interface LiveObjects {
  readonly backend: Deployment | undefined;
  readonly service: Service | undefined;
  readonly jobs: readonly Job[];
  /** PostgreSQL's Deployment, Service and volume claim, as far as they exist. */
  readonly postgres: readonly LiveObject[];
  /** Service accounts, and the volume claim of restore points, as far as they exist. */
  readonly others: readonly LiveObject[];
  /** The database's Secret; read only if no stack has declared the backend, and if the account may read it. */
  readonly secret?: SecretKeys | undefined;
}

/** Picks the objects that matter to a stack, by their names. */
export function objectsOf(items: readonly LiveObject[]): LiveObjects {
  const named = <Kind extends LiveObject["kind"]>(kind: Kind, name: string) =>
    items.find(
      (item): item is Extract<LiveObject, { kind: Kind }> => item.kind === kind && item.metadata.name === name,
    );
  const postgres = [
    named("Deployment", names.postgres),
    named("Service", names.postgresService),
    named("PersistentVolumeClaim", names.postgres),
  ];
  const accounts = Object.values(serviceAccounts).map((name) => named("ServiceAccount", name));
  const others = [...accounts, named("PersistentVolumeClaim", names.restorePoints)];
  return {
    backend: named("Deployment", names.backend),
    service: named("Service", names.backend),
    jobs: items.filter((item) => item.kind === "Job"),
    postgres: postgres.filter((item) => item !== undefined),
    others: others.filter((item) => item !== undefined),
  };
}

/** Whether a stack of this project declared the object, which `components/metadata.ts` records in an annotation. */
export function isOurs({ metadata }: Pick<LiveObject, "metadata">): boolean {
  return metadata.annotations?.["pulumi.com/patchForce"] === "true";
}

/**
 * Returns the stack that owns an object, as `project/stack`.
 *
 * @returns `undefined` for an unmanaged object, and for one that an earlier version declared.
 */
export function ownerOf({ metadata }: Pick<LiveObject, "metadata">): string | undefined {
  return metadata.annotations?.[ownerAnnotation];
}

/** Returns how far a Job is. Its runner decides, also if other containers of its pod failed or never ended. */
export function jobState({ metadata, status }: Job): "running" | "complete" | "failed" | "deleting" {
  if (metadata.deletionTimestamp !== undefined) return "deleting";
  if (metadata.annotations?.[migratedAnnotation] === "true") return "complete";
  const has = (...types: string[]) =>
    status?.conditions?.some((condition) => types.includes(condition.type) && condition.status === "True");
  if (has("Failed", "FailureTarget")) return "failed";
  return has("Complete", "SuccessCriteriaMet") ? "complete" : "running";
}

/** Returns the plan that a migrate Job was created with, as JSON, if any. */
export function planOfJob({ spec }: Job): string | undefined {
  return spec?.template.metadata?.annotations?.[planAnnotation];
}

/** Whether a container of a pod is a native sidecar: an init container that Kubernetes keeps running beside the others. */
export function isSidecar({ spec }: Pod, containerName: string): boolean {
  return spec?.initContainers?.find(({ name }) => name === containerName)?.restartPolicy === "Always";
}

/** Returns all containers of a pod, init containers first. */
export function containersOf(spec: PodSpec | undefined): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

/** Returns the container of a pod, or of its template, that kubectl uses by default. */
export function defaultContainer({
  metadata,
  spec,
}: {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: PodSpec;
}): Container | undefined {
  const containers = spec?.containers ?? [];
  const name = metadata?.annotations?.[defaultContainerAnnotation];
  return containers.find((container) => container.name === name) ?? containers[0];
}

/** Returns the app's container: the one with its name, otherwise one with DATABASE_URL, otherwise the first. */
export function appContainer({ spec }: Deployment): Container | undefined {
  const { containers } = spec.template.spec;
  return (
    containers.find(({ name }) => name === names.backend) ??
    containers.find(({ env }) => env?.some(({ name }) => name === "DATABASE_URL")) ??
    containers[0]
  );
}
