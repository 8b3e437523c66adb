import * as pulumi from "@pulumi/pulumi";
import type { ClusterTarget } from "./kubectl.ts";

/** Cluster in which the commands of a component run kubectl: a context, a kubeconfig, or neither, as with kubectl itself. */
export interface ClusterArgs {
  /**
   * Context of the kubeconfig.
   *
   * @defaultValue the kubeconfig's current context
   */
  readonly context?: string | undefined;
  /**
   * Content of a kubeconfig, such as that of a cluster of the same program. It is a secret in the state.
   *
   * @defaultValue the kubeconfig that kubectl finds or, in a pod without one, the pod's service account
   */
  readonly kubeconfig?: pulumi.Input<string> | undefined;
  /**
   * Seconds that the cluster may take to answer a command.
   *
   * @defaultValue 60
   */
  readonly clusterTimeoutSeconds?: number | undefined;
}

/** Namespace of a cluster, as a program has it: the kubeconfig may be that of a cluster of the same program. */
export interface ProgramTarget extends ClusterArgs {
  readonly namespace: string;
}

/**
 * Waits until the kubeconfig of a program's target is known.
 *
 * @returns `undefined` in the preview of a cluster that doesn't exist yet.
 */
export async function resolveTarget({ kubeconfig, ...target }: ProgramTarget): Promise<ClusterTarget | undefined> {
  if (kubeconfig === undefined) return target;
  const output = pulumi.output(kubeconfig);
  if (!(await isKnown(output))) return undefined;
  return { ...target, kubeconfig: await new Promise<string>((resolve) => output.apply(resolve)) };
}

/** Waits until an output has a value, or is not going to have one in this preview. */
export function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  // Part of every output, but not of its type.
  return (output as unknown as { readonly isKnown: Promise<boolean> }).isKnown;
}

/** Whether a value is an output, or a promise of one. */
export function isOutput(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
