import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";
import { names } from "../manifests/names.ts";

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
export type LiveObject = Deployment | Service | Job | VolumeClaim | ServiceAccount;

/** Objects that exist under the names of this project's objects, and all Jobs. */
export interface LiveObjects {
  readonly backend: Deployment | undefined;
  readonly service: Service | undefined;
  readonly jobs: readonly Job[];
  /** PostgreSQL's Deployment, Service and volume claim, as far as they exist. */
  readonly postgres: readonly LiveObject[];
  /** Keys of the database's Secret if it is unmanaged; read only if the backend is unmanaged. */
  readonly secretKeys?: readonly string[] | undefined;
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
  return {
    backend: named("Deployment", names.backend),
    service: named("Service", names.backend),
    jobs: items.filter((item) => item.kind === "Job"),
    postgres: postgres.filter((item) => item !== undefined),
  };
}

/** Whether a stack of this project declared the object, which `components/metadata.ts` records in an annotation. */
export function isOurs({ metadata }: Pick<LiveObject, "metadata">): boolean {
  return metadata.annotations?.["pulumi.com/patchForce"] === "true";
}

/** Returns how far a Job is. */
export function jobState({ metadata, status }: Job): "running" | "complete" | "failed" | "deleting" {
  if (metadata.deletionTimestamp !== undefined) return "deleting";
  const has = (...types: string[]) =>
    status?.conditions?.some((condition) => types.includes(condition.type) && condition.status === "True");
  if (has("Failed", "FailureTarget")) return "failed";
  return has("Complete", "SuccessCriteriaMet") ? "complete" : "running";
}

/** Returns all containers of a pod, init containers first. */
export function containersOf(spec: PodSpec | undefined): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
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
