import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { summarize, unknownError, valueError } from "../lockfile/shape.ts";
import type { MigratedApp } from "./app.ts";
import { tlsVolumes } from "./database-tls.ts";
import { appLabel, databaseSecretAnnotation, headAnnotation } from "./names.ts";
import type { ContainerConfig } from "./pod-config.ts";
import { keyOf, mergeContainerConfigs, type OwnContainer, withContainerConfig } from "./pod-merge.ts";
import { podConfigErrors, serverVariables } from "./pod-rules.ts";
import { type RunnerOptions, runnerContainer, runnerNames, runnerVolume } from "./runner.ts";
import { type PodSecurityLevel, podSecurityContext, temporary } from "./security.ts";

type PodSpec = types.input.core.v1.PodSpec;
type PodTemplate = types.input.core.v1.PodTemplateSpec;
type Container = types.input.core.v1.Container;

/** Options of a gate. */
export interface GateOptions extends RunnerOptions {
  readonly app: Pick<MigratedApp, "partOf" | "userId">;
  /** Revision that the app's code was made for. */
  readonly head: string;
  /**
   * Configuration of the gate's container.
   *
   * @defaultValue the variables and the mounts of the pod's first container
   */
  readonly gate?: ContainerConfig | undefined;
  /**
   * Level of the Pod Security Standards that the configuration must meet.
   *
   * @defaultValue "restricted"
   */
  readonly podSecurityStandard?: PodSecurityLevel | undefined;
  /**
   * Value that changes with the content of the database's Secret, so that pods with the old content are replaced.
   *
   * @defaultValue pods keep the content that they started with
   */
  readonly secretVersion?: Input<string> | undefined;
}

/** Volume of the gate alone: the pod's own `/tmp` may be anything. */
const gateTemporary = { name: "migrate-tmp", emptyDir: {} };

/** Returns the gate: it waits until the database has the schema that the app's code works with. */
function gateContainer(options: GateOptions, container: ContainerConfig): Container {
  const { env, envFrom, volumeMounts } = container;
  const own = runnerContainer("wait", options);
  const mounts = own.volumeMounts.map((mount) => {
    return mount.name === temporary.mount.name ? { ...mount, name: gateTemporary.name } : mount;
  });
  const path = (mount: object) => keyOf("volumeMounts", mount);
  const inherited = {
    env: withoutOwn(env, own),
    envFrom: envFrom ?? undefined,
    volumeMounts: volumeMounts?.filter((mount) => !mounts.some((other) => path(other) === path(mount))),
  };
  const { fsGroup: _, ...security } = podSecurityContext(options.app.userId) as { fsGroup?: unknown };
  const gate = { ...own, volumeMounts: mounts, securityContext: { ...security, ...(own.securityContext as object) } };
  return withContainerConfig(gate, mergeContainerConfigs(inherited, options.gate ?? {}));
}

/** Removes the variables that the gate has of its own, and those that the runner rejects: the app may not even use libpq. */
function withoutOwn(env: ContainerConfig["env"], own: OwnContainer): ContainerConfig["env"] {
  const removed = [...own.env.map(({ name }) => name), ...serverVariables];
  return env?.filter(({ name }) => !removed.includes(name));
}

const configured: readonly string[] = ["env", "envFrom", "resources", "securityContext", "volumeMounts"];

/** @throws {Error} If a configuration would replace a part of the gate that its safety depends on. */
function validateConfig({ gate = {}, podSecurityStandard: level = "restricted" }: GateOptions): void {
  const errors = Object.keys(gate)
    .filter((key) => !configured.includes(key))
    .map((key) => unknownError(`gate.${key}`, configured));
  for (const key of ["env", "envFrom", "volumeMounts"] as const) {
    const list: unknown = gate[key];
    if (list !== undefined && !Array.isArray(list)) errors.push(valueError(`gate.${key}`, list, "a list", summarize));
  }
  if (errors.length === 0) {
    // The API server validates the names of volumes: a program in another language merges the gate into its pod later.
    const shared = { path: "the pod", config: { volumes: gate.volumeMounts?.map(({ name }) => ({ name })) } };
    for (const { path, value, allowed } of podConfigErrors(gate, { pods: "gate", level, shared }))
      errors.push(valueError(`gate.${path}`, value, allowed));
  }
  if (errors.length > 0) throw new Error(`can't add the gate:\n  - ${errors.join("\n  - ")}`);
}

/**
 * Returns a pod spec whose containers start only after its gate has found the schema. Native sidecars start before it, as
 * it may need them to connect; other init containers after it.
 *
 * @throws {Error} If the pod has a container or a volume of a name that the gate needs, or the gate's configuration is
 *   invalid.
 */
function gatePodSpec(spec: PodSpec, options: GateOptions): PodSpec {
  validateConfig(options);
  const containers = listOf<Container>("containers", spec.containers);
  const initContainers = listOf<Container>("initContainers", spec.initContainers);
  const volumes = listOf<types.input.core.v1.Volume>("volumes", spec.volumes);
  const own = [runnerVolume(options.configMapName), ...tlsVolumes(options.tls), gateTemporary];
  requireFree("container", [...initContainers, ...containers], [{ name: runnerNames.container }]);
  requireFree("volume", volumes, own);
  const isSidecar = ({ restartPolicy }: Container) => restartPolicy === "Always";
  const gate = gateContainer(options, (containers[0] ?? {}) as ContainerConfig);
  return {
    ...spec,
    initContainers: [
      ...initContainers.filter(isSidecar),
      gate,
      ...initContainers.filter((container) => !isSidecar(container)),
    ],
    volumes: [...volumes, ...own],
  };
}

/**
 * Returns a pod template with a {@link gatePodSpec}, and with the label and the annotation by which its pods
 * and their code are found.
 *
 * @throws {Error} If there is none, or its pod can't have the gate.
 */
export function gateTemplate(template: PodTemplate | undefined, options: GateOptions): PodTemplate {
  const { metadata, spec } = template ?? {};
  if (!spec)
    throw new Error("can't add the gate: the spec has no pod template; for a CronJob, pass spec.jobTemplate.spec");
  const { labels, annotations, ...others } = (metadata ?? {}) as types.input.meta.v1.ObjectMeta;
  const { head, secretVersion } = options;
  const own: Record<string, Input<string>> = { [headAnnotation]: head };
  if (secretVersion !== undefined) own[databaseSecretAnnotation] = secretVersion;
  return {
    metadata: {
      ...others,
      labels: { ...(labels as object), [appLabel]: options.app.partOf },
      annotations: { ...(annotations as object), ...own },
    },
    spec: gatePodSpec(spec as PodSpec, options),
  };
}

/** Returns a list of a pod spec. @throws {Error} If it is an output: what the gate adds would be lost or unverified. */
function listOf<T>(name: string, list: unknown): readonly T[] {
  if (list === undefined || list === null) return [];
  if (Array.isArray(list)) return list as T[];
  throw new Error(`can't add the gate: ${valueError(name, list, "a list", summarize)}`);
}

function requireFree(
  kind: string,
  existing: readonly { name?: Input<string> }[],
  needed: readonly { name?: Input<string> }[],
): void {
  const taken = needed.find(({ name }) => existing.some((other) => other.name === name));
  if (taken !== undefined) throw new Error(`can't add the gate: the pod has a ${kind} ${taken.name}; rename it`);
}
