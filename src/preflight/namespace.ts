import * as pulumi from "@pulumi/pulumi";
import { type Kubectl, KubectlError } from "../cluster/kubectl.ts";
import { commandLine } from "../command-line.ts";
import { type ClusterContext, type CommandTarget, clusterName, kubectlCommand } from "../kubectl-command.ts";
import { type PodSecurityLevel, podSecurityLabel, podSecurityLevels } from "../manifests/security.ts";
import type { Settings } from "../settings/settings.ts";

/** Returns the command with which an administrator creates and labels the namespace, and grants the Roles of the stack. */
export function administratorCommand({ context }: ClusterContext): string {
  const apply = "apply --server-side --force-conflicts --filename=k8s/access";
  return `${commandLine("render")} && ${kubectlCommand({ context })} ${apply}`;
}

/**
 * Returns why the stack can't use a namespace that it doesn't create; `null` if it can.
 *
 * @param labels - Labels of the namespace; `undefined` if it doesn't exist.
 */
export function namespaceError(
  labels: Readonly<Record<string, string>> | undefined,
  target: CommandTarget,
  wanted: PodSecurityLevel = "restricted",
): string | null {
  const found = labels?.[podSecurityLabel];
  if (found === wanted) return null;
  const stricter = podSecurityLevels.slice(0, podSecurityLevels.indexOf(wanted));
  const mayReject = wanted === "privileged" || stricter.some((level) => level === found);
  const effect = mayReject ? "it may reject pods that unity:podSecurityStandard allows" : "it allows privileged pods";
  const problem =
    labels === undefined
      ? "doesn't exist"
      : `${found === undefined ? "lacks the label" : `has the label ${podSecurityLabel}=${found} instead of`} ` +
        `${podSecurityLabel}=${wanted}, so ${effect}`;
  return [
    `namespace ${target.namespace} (${clusterName(target)}) ${problem}; no changes were made`,
    `As an administrator, run: ${administratorCommand(target)}`,
    "Or, to let this stack create and label it as an administrator, run: pulumi config set createNamespace true",
  ].join("\n");
}

/**
 * Reads whether the stack can use its namespace. It needs the permission to read that namespace only.
 *
 * @returns A function that throws a `pulumi.RunError` if the stack can't, or if the namespace can't be read.
 */
export async function reviewNamespace(settings: Settings, kubectl: Kubectl): Promise<() => void> {
  const { namespace, createNamespace, podSecurityStandard } = settings;
  if (createNamespace) return () => {};
  const args = ["get", "namespace", namespace, "--ignore-not-found", "--output=jsonpath={.metadata}"];
  const error = await kubectl.run(args).then(
    (output) => {
      const labels = output === "" ? undefined : (JSON.parse(output).labels ?? {});
      return namespaceError(labels, settings, podSecurityStandard);
    },
    (error: unknown) => `can't read namespace ${namespace}: ${error instanceof KubectlError ? error.message : error}`,
  );
  return () => {
    if (error !== null) throw new pulumi.RunError(error);
  };
}
