import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ProgramTarget } from "../src/cluster/program-target.ts";
import { clusterInputs } from "./commands.ts";

/**
 * Declares the Kubernetes provider of a context and a namespace. It adopts the objects that an interrupted run created.
 *
 * @example
 * ```ts
 * const provider = clusterProvider("cluster", { context: "my-cluster", namespace: "notes" });
 * ```
 */
export function clusterProvider(
  name: string,
  { context, namespace, kubeconfig }: ProgramTarget,
  options: pulumi.CustomResourceOptions = {},
): k8s.Provider {
  return new k8s.Provider(
    name,
    // With enableSecretMutable, a changed Secret is updated in place. Its replacement would also replace the Deployment
    // that refers to its version: deleted first, then created.
    { ...clusterInputs({ context, kubeconfig }), namespace, upsertExistingObjects: true, enableSecretMutable: true },
    kubeconfig === undefined
      ? { ...options, transformations: [withoutKubeconfig, ...(options.transformations ?? [])] }
      : options,
  );
}

/**
 * Removes the path that the provider's SDK reads from `KUBECONFIG`, which differs between machines: it would be a change
 * on each, and the file may no longer exist. Without it, the provider finds its kubeconfig as kubectl does.
 */
function withoutKubeconfig({ props, opts }: pulumi.ResourceTransformationArgs): pulumi.ResourceTransformationResult {
  const { kubeconfig: _, ...others } = props;
  return { props: others, opts };
}
