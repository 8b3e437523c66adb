import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterTarget } from "../src/cluster/kubectl.ts";

/**
 * Declares the Kubernetes provider of a context and a namespace, which takes over what a run left behind that was killed.
 *
 * The provider notes the path in `KUBECONFIG`, which is another on each operator's machine: a change to the next one, and
 * a file that may be gone. Without it, the provider finds its kubeconfig as kubectl does.
 */
export function clusterProvider(
  name: string,
  { context, namespace }: ClusterTarget,
  options: pulumi.CustomResourceOptions = {},
): k8s.Provider {
  const withoutKubeconfig = ({ props: { kubeconfig: _, ...props }, opts }: pulumi.ResourceTransformationArgs) => ({
    props,
    opts,
  });
  return new k8s.Provider(
    name,
    // A Secret that were replaced would take the Deployment with it, which refers to its version: deleted first, then made.
    { context, namespace, upsertExistingObjects: true, enableSecretMutable: true },
    { ...options, transformations: [withoutKubeconfig, ...(options.transformations ?? [])] },
  );
}
