import * as pulumi from "@pulumi/pulumi";
import { isRecord } from "../lockfile/shape.ts";
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
   * Content of a kubeconfig, such as that of a cluster of the same program, as text or as an object. It is a secret in the
   * state.
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
 * @throws {pulumi.RunError} If it is empty: kubectl would connect to another cluster.
 */
export async function resolveTarget({ kubeconfig, ...target }: ProgramTarget): Promise<ClusterTarget | undefined> {
  if (kubeconfig === undefined) return target;
  const output = kubeconfigText(kubeconfig);
  if (!(await isKnown(output))) return undefined;
  const content = await new Promise<string>((resolve) => output.apply(resolve));
  if (!content) throw new pulumi.RunError("invalid cluster.kubeconfig: empty; must be the content of a kubeconfig");
  return { ...target, kubeconfig: content };
}

/** Returns a kubeconfig as text: some packages have an object, such as that of EKS. */
export function kubeconfigText(kubeconfig: pulumi.Input<string>): pulumi.Output<string> {
  const content: pulumi.Output<unknown> = pulumi.output(kubeconfig);
  return content.apply((known) => (isRecord(known) ? JSON.stringify(known) : (known as string)));
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
