import * as pulumi from "@pulumi/pulumi";
import type { ClusterTarget } from "./kubectl.ts";

/** Namespace of a cluster, as a program has it: the kubeconfig may be that of a cluster of the same program. */
export interface ProgramTarget extends Omit<ClusterTarget, "kubeconfig"> {
  /**
   * Content of the kubeconfig.
   *
   * @defaultValue the kubeconfig that kubectl finds or, in a pod without one, the pod's service account
   */
  readonly kubeconfig?: pulumi.Input<string> | undefined;
}

/**
 * Waits until the kubeconfig of a program's target is known.
 *
 * @returns `undefined` in the preview of a cluster that doesn't exist yet.
 */
export async function resolveTarget({ kubeconfig, ...target }: ProgramTarget): Promise<ClusterTarget | undefined> {
  if (kubeconfig === undefined) return target;
  const output = pulumi.output(kubeconfig);
  // Part of every output, but not of its type.
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  if (!(await isKnown)) return undefined;
  return { ...target, kubeconfig: await new Promise<string>((resolve) => output.apply(resolve)) };
}
