import type { PolicyResource } from "@pulumi/policy";
import type { Resource } from "./resource.ts";

/** Part of a stack's resource that the rule reads. */
interface StackResource extends Resource {
  readonly urn: string;
  readonly dependencies: readonly Pick<PolicyResource, "urn">[];
}

/** Argument of the commands that wait for a workload, by the workload's type. */
const waitKinds: Readonly<Record<string, readonly string[]>> = {
  "kubernetes:batch/v1:Job": ["job", "fleet"],
  "kubernetes:apps/v1:Deployment": ["rollout"],
};

/** Returns the workloads that neither Pulumi nor a command waits for. */
export function workloadsWithoutWait<T extends StackResource>(resources: readonly T[]): T[] {
  const commands = resources.filter(({ type }) => type === "command:local:Command");
  return resources.filter(({ type, props, urn }) => {
    const kinds = waitKinds[type];
    if (kinds === undefined || props.metadata?.annotations?.["pulumi.com/skipAwait"] !== "true") return false;
    const dependents = commands.filter(({ dependencies }) => dependencies.some((each) => each.urn === urn));
    return !dependents.some((command) => kinds.includes(command.props.create));
  });
}
