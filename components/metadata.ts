import type { Input } from "@pulumi/pulumi";
import { type App, appLabels, unity } from "../src/manifests/app.ts";
import { fieldManager } from "../src/manifests/names.ts";

/** Metadata of an object of ours, as the Kubernetes provider takes it. */
export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: Input<string>;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

/**
 * Metadata of an object of `workload`.
 *
 * `pulumi.com/patchForce` lets `up` take over an object that exists already with other values, made by hand or by a run
 * that was killed: what this program declares is what holds
 * (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
 */
export function objectMetadata(
  name: string,
  namespace: Input<string>,
  workload: string,
  app: App = unity,
): ObjectMetadata {
  return { name, namespace, labels: appLabels(app, workload), annotations: { "pulumi.com/patchForce": "true" } };
}

/**
 * Metadata of an object that the provider does not wait for: a Service's wait takes 10 s whatever happens, a claim that
 * waits for its first consumer is never bound before the Deployment which the wait would hold up, and for the migrate
 * Job and the backend this project waits itself, with the cause.
 */
export function withoutAwait(metadata: ObjectMetadata): ObjectMetadata {
  return { ...metadata, annotations: { ...metadata.annotations, "pulumi.com/skipAwait": "true" } };
}

/**
 * Metadata of an object whose fields are all the stack's: what it doesn't declare is removed from one that it takes over,
 * once that was prepared (src/adoption/prepare.ts). The manager has to be known before, where the provider makes up a name.
 */
export function withFieldManager(metadata: ObjectMetadata): ObjectMetadata {
  const annotations = { ...metadata.annotations, "pulumi.com/patchFieldManager": fieldManager };
  return { ...metadata, annotations };
}
