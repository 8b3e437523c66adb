import type { LabelSelector, ServicePort } from "../manifests/backend.ts";
import { names } from "../manifests/names.ts";

/** Metadata of an object that lives in the cluster. */
interface LiveMetadata {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

/** A condition of an object's status. */
interface LiveCondition {
  readonly type: string;
  readonly status: string;
}

/** A reference to a Secret. */
interface SecretReference {
  readonly name?: string;
}

/** What is read of a container. */
export interface LiveContainer {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly valueFrom?: { readonly secretKeyRef?: SecretReference } }[];
  readonly envFrom?: readonly { readonly secretRef?: SecretReference }[];
  readonly readinessProbe?: { readonly httpGet?: { readonly path?: string } };
}

/** What is read of a pod's specification; `parts` beside those are compared as they are. */
export interface LivePodSpec {
  readonly initContainers?: readonly LiveContainer[];
  readonly containers: readonly LiveContainer[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly [part: string]: unknown;
}

/** What is read of a pod template. */
interface LiveTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: LivePodSpec;
}

/** A Deployment. */
export interface LiveDeployment {
  readonly kind: "Deployment";
  readonly metadata: LiveMetadata;
  readonly spec: { readonly replicas?: number; readonly selector: LabelSelector; readonly template: LiveTemplate };
  readonly status?: { readonly replicas?: number };
}

/** A Service. */
export interface LiveService {
  readonly kind: "Service";
  readonly metadata: LiveMetadata;
  readonly spec: {
    readonly type?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly ServicePort[];
  };
}

/** A Job. */
export interface LiveJobObject {
  readonly kind: "Job";
  readonly metadata: LiveMetadata;
  readonly spec?: { readonly template: LiveTemplate; readonly suspend?: boolean };
  readonly status?: { readonly conditions?: readonly LiveCondition[] };
}

/** A volume claim. */
interface LiveClaim {
  readonly kind: "PersistentVolumeClaim";
  readonly metadata: LiveMetadata;
}

/** An account of pods. */
interface LiveServiceAccount {
  readonly kind: "ServiceAccount";
  readonly metadata: LiveMetadata;
}

/** An object of the namespace, as `kubectl get -o json` prints it. */
export type LiveObject = LiveDeployment | LiveService | LiveJobObject | LiveClaim | LiveServiceAccount;

/** What is there under the names of this project's objects, and all Jobs. */
export interface LiveObjects {
  readonly backend: LiveDeployment | undefined;
  readonly service: LiveService | undefined;
  readonly jobs: readonly LiveJobObject[];
  /** PostgreSQL's Deployment, Service and claim, as many as there are. */
  readonly postgres: readonly LiveObject[];
  /** Keys of the database's Secret, if it was made by hand; asked only where the backend was. */
  readonly secretKeys?: readonly string[] | undefined;
}

/** @returns The objects that matter to a stack, by their names. */
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

/** Whether a stack of this project declared the object: components/children.ts annotates each of them so. */
export function isOurs({ metadata }: Pick<LiveObject, "metadata">): boolean {
  return metadata.annotations?.["pulumi.com/patchForce"] === "true";
}

/** @returns What a Job does. */
export function jobState({ metadata, status }: LiveJobObject): "running" | "complete" | "failed" | "deleting" {
  if (metadata.deletionTimestamp !== undefined) return "deleting";
  const has = (...types: string[]) =>
    status?.conditions?.some((condition) => types.includes(condition.type) && condition.status === "True");
  if (has("Failed", "FailureTarget")) return "failed";
  return has("Complete", "SuccessCriteriaMet") ? "complete" : "running";
}

/** @returns The container that is the app: by its name, else by the database that it is told of, else the first one. */
export function appContainer({ spec }: LiveDeployment): LiveContainer | undefined {
  const { containers } = spec.template.spec;
  return (
    containers.find(({ name }) => name === names.backend) ??
    containers.find(({ env }) => env?.some(({ name }) => name === "DATABASE_URL")) ??
    containers[0]
  );
}
