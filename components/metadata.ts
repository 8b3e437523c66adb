import type { Input } from "@pulumi/pulumi";
import { type App, appLabels, unity } from "../manifests/app.ts";
import { fieldManager } from "../manifests/names.ts";

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
 *
 * `pulumi.com/skipAwait` keeps the provider from waiting: a Service's wait takes 10 s whatever happens, a claim that waits
 * for its first consumer is never bound before the Deployment which the wait would hold up, for the migrate Job and the
 * backend this project waits itself, with the cause, and to see an object go the provider lists and watches its whole
 * kind, which the operator's Role need not allow.
 */
export function objectMetadata(
  name: string,
  namespace: Input<string>,
  workload: string,
  app: App = unity,
): ObjectMetadata {
  const annotations = { "pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true" };
  return { name, namespace, labels: appLabels(app, workload), annotations };
}

/** Metadata of an object that the provider waits for. */
export function awaited(metadata: ObjectMetadata): ObjectMetadata {
  const { "pulumi.com/skipAwait": _, ...annotations } = metadata.annotations;
  return { ...metadata, annotations };
}

/**
 * Metadata of an object whose fields are all the stack's: what it doesn't declare is removed from one that it takes over,
 * once that was prepared (cluster/hand-over.ts). The manager has to be known before, where the provider makes up a name.
 */
export function withFieldManager(metadata: ObjectMetadata): ObjectMetadata {
  const annotations = { ...metadata.annotations, "pulumi.com/patchFieldManager": fieldManager };
  return { ...metadata, annotations };
}
