import * as pulumi from "@pulumi/pulumi";
import { valueError } from "../src/lockfile/shape.ts";
import type { MigratedApp } from "../src/manifests/app.ts";
import type { Preserved } from "../src/manifests/backend.ts";
import type { ContainerConfig, PodConfig } from "../src/manifests/pod-config.ts";
import { type ConfiguredPods, outputErrors, type PodConfigError, podConfigErrors } from "../src/manifests/pod-rules.ts";
import type { PodSecurityLevel } from "../src/manifests/security.ts";

/** Arguments of a component that configure its pods. */
interface PodArgs {
  readonly app: MigratedApp & { readonly backend?: string };
  readonly preserved?: Preserved | undefined;
  readonly pod?: PodConfig | undefined;
  readonly gate?: ContainerConfig | undefined;
  readonly podSecurityStandard?: PodSecurityLevel | undefined;
}

/**
 * Validates the pod configuration of a component.
 *
 * @throws {pulumi.ResourceError} If it is invalid; the message lists all errors.
 */
export function validatePods(
  component: pulumi.Resource,
  pods: Exclude<ConfiguredPods, "common" | "gate">,
  args: PodArgs,
) {
  const { app, pod = {}, gate = {}, podSecurityStandard: level = "restricted" } = args;
  const selected = Object.keys(args.preserved?.podLabels ?? {});
  const containers = app.backend === undefined ? [] : [app.backend];
  const ofPod = [...podConfigErrors(pod, { pods, level, selected, containers })];
  if (pods === "migration") ofPod.push(...outputErrors(pod));
  const ofGate = podConfigErrors(gate, { pods: "gate", level, shared: { path: "pod", config: pod } });
  const errors = [...ofPod.map(describe("pod")), ...ofGate.map(describe("gate"))];
  if (errors.length === 0) return;
  throw new pulumi.ResourceError(`invalid pod configuration:\n  - ${errors.join("\n  - ")}`, component, true);
}

function describe(argument: string): (error: PodConfigError) => string {
  return ({ path, value, allowed }) => valueError(`${argument}.${path}`, value, allowed);
}

/**
 * Returns a configuration whose variables are rejected if they are secret outputs, because a pod spec shows them.
 *
 * @param argument - Name of the argument.
 * @throws {pulumi.ResourceError} During the update, with the name of the variable.
 */
export function withoutSecrets<Config extends ContainerConfig>(
  component: pulumi.Resource,
  argument: string,
  config: Config | undefined,
): Config | undefined {
  if (config?.env === undefined) return config;
  const env = config.env.map((variable) => {
    const { name, value } = variable;
    if (!pulumi.Output.isInstance(value)) return variable;
    const isSecret = pulumi.isSecret(value);
    const verified = pulumi.all([value, isSecret]).apply(([text, secret]) => {
      if (!secret) return text;
      const fix = "put it into a Secret, and refer to it by valueFrom.secretKeyRef or envFrom";
      throw new pulumi.ResourceError(
        `${argument}.env: ${name} is a secret, but pod specs show their values: ${fix}`,
        component,
        true,
      );
    });
    return { ...variable, value: verified };
  });
  return { ...config, env };
}
