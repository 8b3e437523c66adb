import { quote } from "./shell.ts";

/** Cluster that kubectl connects to. */
export interface ClusterContext {
  /**
   * Context of the kubeconfig.
   *
   * @defaultValue the current one or, in a pod without a kubeconfig, the pod's own cluster
   */
  readonly context?: string | undefined;
}

/** Cluster and namespace of commands that people run. */
export interface CommandTarget extends ClusterContext {
  readonly namespace: string;
}

/** Returns kubectl with the arguments that select a cluster and a namespace, each if it is given. */
export function kubectlCommand({ context, namespace }: Partial<CommandTarget>): string {
  const args = ["kubectl"];
  if (context !== undefined) args.push("--context", quote(context));
  if (namespace !== undefined) args.push("-n", namespace);
  return args.join(" ");
}

/** Returns a cluster's name in messages. */
export function clusterName({ context }: ClusterContext): string {
  return context === undefined ? "the current context" : `context ${context}`;
}
