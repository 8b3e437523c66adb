import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { currentOwner } from "../src/cluster/current-owner.ts";
import { appLabels, type MigratedApp } from "../src/manifests/app.ts";
import { fieldManager, ownerAnnotation, preservedAnnotation } from "../src/manifests/names.ts";
import type { PlainPodConfig, PodConfig } from "../src/manifests/pod-config.ts";

/**
 * Returns the options of a component's child.
 *
 * Pulumi doesn't pass the `dependsOn` of a component to its children: those without dependencies of their own get it here,
 * and the others follow them.
 *
 * @param own - Options that take precedence.
 */
export function childOptions(
  parent: pulumi.ComponentResource,
  options: pulumi.ComponentResourceOptions | undefined,
  own: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return { parent, dependsOn: options?.dependsOn, ...own };
}

/**
 * Returns the options of a component whose type began with `unity:` before the package got its name: an update of a stack
 * from that time keeps the component and its children.
 *
 * @param token - Today's type, such as `pulumi-alembic:index:MigrationJob`.
 */
export function withFormerType(
  token: string,
  options: pulumi.ComponentResourceOptions | undefined,
): pulumi.ComponentResourceOptions {
  return pulumi.mergeOptions({ aliases: [{ type: token.replace(/^pulumi-alembic:/, "unity:") }] }, options);
}

/** Metadata of a Kubernetes object, as the provider takes it. */
export interface ObjectMetadata {
  readonly name: pulumi.Input<string>;
  readonly namespace: pulumi.Input<string>;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

/**
 * Returns the metadata of an object that belongs to a workload.
 *
 * `pulumi.com/patchForce` lets `pulumi up` adopt an existing object with other values, from another tool or an interrupted
 * run: the declared values win
 * (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
 *
 * The stack is an annotation of the object alone: pod templates and selectors don't contain it, so that it replaces nothing.
 */
export function objectMetadata(
  name: pulumi.Input<string>,
  namespace: pulumi.Input<string>,
  workload: string,
  app: Pick<MigratedApp, "partOf">,
): ObjectMetadata {
  const annotations: Record<string, string> = { "pulumi.com/patchForce": "true" };
  const owner = currentOwner();
  if (owner !== undefined) annotations[ownerAnnotation] = owner;
  return { name, namespace, labels: appLabels(app, workload), annotations };
}

/**
 * Returns metadata with which the provider doesn't wait for the object: its wait for a Service always takes 10 seconds, a
 * claim is not bound before the Deployment that would depend on it, and for the migration Job and the backend, this
 * project's own wait reports the cause of a failure.
 */
export function withoutAwait(metadata: ObjectMetadata): ObjectMetadata {
  return { ...metadata, annotations: { ...metadata.annotations, "pulumi.com/skipAwait": "true" } };
}

/**
 * Returns metadata with a fixed field manager; otherwise, the provider generates its name. `src/adoption/field-ownership.ts`
 * transfers the fields of an adopted object to this manager, so that an update removes fields that it doesn't declare.
 */
export function withFieldManager(metadata: ObjectMetadata): ObjectMetadata {
  const annotations = { ...metadata.annotations, "pulumi.com/patchFieldManager": fieldManager };
  return { ...metadata, annotations };
}

/** Returns metadata that records the preserved configuration of an adopted Deployment's pods, for later updates. */
export function withPreservedPod(metadata: ObjectMetadata, preserved: PlainPodConfig | undefined): ObjectMetadata {
  if (preserved === undefined) return metadata;
  const annotations = { ...metadata.annotations, [preservedAnnotation]: JSON.stringify(preserved) };
  return { ...metadata, annotations };
}

/**
 * Declares the service account of a workload's pods. It is bound to no Role, and no pod mounts its token.
 *
 * @param pod - Configuration of the pods, with annotations of the account.
 */
export function serviceAccount(
  name: string,
  account: string,
  namespace: pulumi.Input<string>,
  workload: string,
  options: pulumi.CustomResourceOptions,
  app: Pick<MigratedApp, "partOf">,
  pod: PodConfig = {},
): k8s.core.v1.ServiceAccount {
  const own = objectMetadata(account, namespace, workload, app);
  const metadata = { ...own, annotations: { ...pod.serviceAccountAnnotations, ...own.annotations } };
  return new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata, automountServiceAccountToken: false }, options);
}
