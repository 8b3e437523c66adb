import type { types } from "@pulumi/kubernetes";
import type { Input, Unwrap } from "@pulumi/pulumi";
import { containerSecurityContext } from "./security.ts";

type EnvVar = types.input.core.v1.EnvVar;
type EnvFromSource = types.input.core.v1.EnvFromSource;
type VolumeMount = types.input.core.v1.VolumeMount;
type LocalObjectReference = types.input.core.v1.LocalObjectReference;
type TopologySpreadConstraint = types.input.core.v1.TopologySpreadConstraint;

/** Object with a plain name, by which it is merged. */
type Named<T> = Omit<T, "name"> & { readonly name: string };

/** Values by name, such as labels. */
type ValueMap = Readonly<Record<string, Input<string>>>;

/** Security context, whose values decide whether a pod meets the Pod Security Standard. */
export type ContainerSecurity = Unwrap<types.input.core.v1.SecurityContext>;

/** Container that the user adds to a pod. */
export type AddedContainer = Omit<
  Named<types.input.core.v1.Container>,
  "securityContext" | "ports" | "volumeMounts"
> & {
  readonly securityContext?: ContainerSecurity;
  readonly ports?: readonly types.input.core.v1.ContainerPort[];
  readonly volumeMounts?: readonly Named<VolumeMount>[];
};

/** Configuration of a container of the app's image, added to what this project declares. */
export interface ContainerConfig {
  /**
   * Variables. The project's own, such as `DATABASE_URL`, can't be replaced.
   *
   * @defaultValue none
   */
  readonly env?: readonly Named<EnvVar>[] | undefined;
  /**
   * Secrets and ConfigMaps whose keys are variables. Variables of {@link env} and the project's own win.
   *
   * @defaultValue none
   */
  readonly envFrom?: readonly EnvFromSource[] | undefined;
  /**
   * Requests and limits, each merged with the default.
   *
   * @defaultValue requests of CPU and memory, and a memory limit of 512Mi
   */
  readonly resources?: { readonly requests?: ValueMap; readonly limits?: ValueMap } | undefined;
  /**
   * Fields of the security context, within the Pod Security Standard.
   *
   * @defaultValue the restricted standard, with a read-only root file system
   */
  readonly securityContext?: ContainerSecurity | undefined;
  /**
   * Mounts of the pod's own volumes, and of `tmp`.
   *
   * @defaultValue a writable `/tmp`
   */
  readonly volumeMounts?: readonly (Named<VolumeMount> & { readonly mountPath: string })[] | undefined;
}

/** Partial pod spec of a workload: added to the pod that this project declares, and to its container of the app's image. */
export interface PodConfig extends ContainerConfig {
  /**
   * Command of the app's container. The migration Job and the gate have the runner's.
   *
   * @defaultValue the image's
   */
  readonly command?: readonly Input<string>[] | undefined;
  /**
   * Arguments of the app's container.
   *
   * @defaultValue the image's
   */
  readonly args?: readonly Input<string>[] | undefined;
  /**
   * Labels of the pods.
   *
   * @defaultValue the project's only
   */
  readonly labels?: ValueMap | undefined;
  /**
   * Annotations of the pods.
   *
   * @defaultValue the project's only
   */
  readonly annotations?: ValueMap | undefined;
  /**
   * Existing service account of the pods.
   *
   * @defaultValue one that the project creates
   */
  readonly serviceAccountName?: Input<string> | undefined;
  /**
   * Annotations of the service account that the project creates, for a cloud's workload identity.
   *
   * @defaultValue none
   */
  readonly serviceAccountAnnotations?: ValueMap | undefined;
  /**
   * User and group ID of the pods; `none` leaves it to the namespace, which assigns one on OpenShift, and to the image.
   *
   * @defaultValue that of the app
   */
  readonly userId?: number | "none" | undefined;
  /**
   * Secrets that pull the pods' images.
   *
   * @defaultValue none
   */
  readonly imagePullSecrets?: readonly Named<LocalObjectReference>[] | undefined;
  /**
   * Labels of the nodes that the pods run on.
   *
   * @defaultValue any node
   */
  readonly nodeSelector?: ValueMap | undefined;
  /**
   * Taints that the pods tolerate.
   *
   * @defaultValue Kubernetes' own
   */
  readonly tolerations?: readonly types.input.core.v1.Toleration[] | undefined;
  /**
   * Rules on nodes and on other pods.
   *
   * @defaultValue none
   */
  readonly affinity?: Input<types.input.core.v1.Affinity> | undefined;
  /**
   * Constraints on spreading pods. One of the same `topologyKey` replaces the project's.
   *
   * @defaultValue several backend pods are spread over nodes
   */
  readonly topologySpreadConstraints?:
    | readonly (Omit<TopologySpreadConstraint, "topologyKey"> & { readonly topologyKey: string })[]
    | undefined;
  /**
   * Priority class of the pods.
   *
   * @defaultValue the cluster's
   */
  readonly priorityClassName?: Input<string> | undefined;
  /**
   * Volumes.
   *
   * @defaultValue the project's only
   */
  readonly volumes?: readonly Named<types.input.core.v1.Volume>[] | undefined;
  /**
   * Containers that start before the migration. With `restartPolicy: Always`, they are native sidecars, which run beside it.
   *
   * @defaultValue none
   */
  readonly initContainers?: readonly AddedContainer[] | undefined;
}

/** Partial pod spec without outputs, except for the service account: a Job's name depends on all of it. */
export interface PlainPodConfig extends Unwrap<Omit<PodConfig, "serviceAccountAnnotations">> {
  /**
   * Annotations of the service account that the project creates, for a cloud's workload identity.
   *
   * @defaultValue none
   */
  readonly serviceAccountAnnotations?: ValueMap | undefined;
}

/** Container configuration without outputs. */
export type PlainContainerConfig = Unwrap<ContainerConfig>;

/**
 * Merges lists by key, as Kubernetes' strategic merge patch does: an item of `own` replaces that of `base` with the same
 * key, and others follow.
 */
function mergeBy<T>(base: readonly T[] = [], own: readonly T[] = [], keyOf: (item: T) => unknown): T[] | undefined {
  const replaced = base.map((item) => own.find((other) => keyOf(other) === keyOf(item)) ?? item);
  const added = own.filter((item) => !base.some((other) => keyOf(other) === keyOf(item)));
  return orUndefined([...replaced, ...added]);
}

function concat<T>(base: readonly T[] = [], own: readonly T[] = []): T[] | undefined {
  return orUndefined([...base, ...own]);
}

function orUndefined<T>(items: T[]): T[] | undefined {
  return items.length > 0 ? items : undefined;
}

/** Removes properties without a value, which an object in the cluster doesn't have. */
function defined<T extends object>(properties: T): Partial<T> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Merges maps; `undefined` if neither exists. */
function mergeMaps<T extends object>(base: T | undefined, own: T | undefined): T | undefined {
  return base === undefined && own === undefined ? undefined : ({ ...base, ...own } as T);
}

function mergeResources(base: ContainerConfig["resources"], own: ContainerConfig["resources"]) {
  if (base === undefined || own === undefined) return own ?? base;
  const { requests, limits } = own;
  const merged = { requests: mergeMaps(base.requests, requests), limits: mergeMaps(base.limits, limits) };
  return { ...base, ...own, ...defined(merged) };
}

function mergeSecurity(base: ContainerSecurity | undefined, own: ContainerSecurity | undefined) {
  const merged = mergeMaps(base, own);
  const capabilities = mergeMaps(base?.capabilities, own?.capabilities);
  return capabilities === undefined ? merged : { ...merged, capabilities };
}

const nameOf = ({ name }: { readonly name: unknown }) => name;
const mountPathOf = ({ mountPath }: { readonly mountPath: unknown }) => mountPath;
const topologyKeyOf = ({ topologyKey }: { readonly topologyKey: unknown }) => topologyKey;

/** Merges two configurations of a container: that of `own` has precedence. */
export function mergeContainerConfigs(base: ContainerConfig, own: ContainerConfig): ContainerConfig {
  return {
    env: mergeBy(base.env, own.env, nameOf),
    envFrom: concat(base.envFrom, own.envFrom),
    resources: mergeResources(base.resources, own.resources),
    securityContext: mergeSecurity(base.securityContext, own.securityContext),
    volumeMounts: mergeBy(base.volumeMounts, own.volumeMounts, mountPathOf),
  };
}

/** Merges two configurations of a pod: lists by name, maps by key; other values of `own` replace those of `base`. */
export function mergePodConfigs<Config extends PodConfig>(base: Config, own: Config): Config {
  return {
    ...base,
    ...own,
    ...mergeContainerConfigs(base, own),
    labels: mergeMaps(base.labels, own.labels),
    annotations: mergeMaps(base.annotations, own.annotations),
    serviceAccountAnnotations: mergeMaps(base.serviceAccountAnnotations, own.serviceAccountAnnotations),
    imagePullSecrets: mergeBy(base.imagePullSecrets, own.imagePullSecrets, nameOf),
    nodeSelector: mergeMaps(base.nodeSelector, own.nodeSelector),
    tolerations: concat(base.tolerations, own.tolerations),
    topologySpreadConstraints: mergeBy(base.topologySpreadConstraints, own.topologySpreadConstraints, topologyKeyOf),
    volumes: mergeBy(base.volumes, own.volumes, nameOf),
    initContainers: mergeBy(base.initContainers, own.initContainers, nameOf),
  };
}

/** Container of this project, whose lists are plain. */
export interface OwnContainer extends types.input.core.v1.Container {
  env: EnvVar[];
  volumeMounts: VolumeMount[];
}

/** Pod spec of this project, whose lists are plain. */
export interface OwnPodSpec extends types.input.core.v1.PodSpec {
  initContainers?: types.input.core.v1.Container[];
  volumes: types.input.core.v1.Volume[];
  topologySpreadConstraints?: types.input.core.v1.TopologySpreadConstraint[];
}

/** Returns a container with the user's configuration. */
export function withContainerConfig(container: OwnContainer, config: ContainerConfig): types.input.core.v1.Container {
  const merged = mergeContainerConfigs(container as ContainerConfig, config);
  return { ...container, ...(defined(merged) as Partial<OwnContainer>) };
}

/** Returns the user's container, with the restricted standard and a termination message as defaults. */
function addedContainer(container: AddedContainer): types.input.core.v1.Container {
  const { allowPrivilegeEscalation, capabilities } = containerSecurityContext;
  const securityContext = mergeSecurity({ allowPrivilegeEscalation, capabilities }, container.securityContext);
  const added = { terminationMessagePolicy: "FallbackToLogsOnError", ...container, securityContext };
  return added as types.input.core.v1.Container;
}

/** The parts of a configuration that decide which node runs a pod, and whether it can pull the pod's images. */
export type Placement = Pick<
  PodConfig,
  "imagePullSecrets" | "nodeSelector" | "tolerations" | "affinity" | "priorityClassName"
>;

/** Placement without outputs. */
export type PlainPlacement = Unwrap<Placement>;

/** Returns the parts of a pod spec that decide where it runs. */
export function placementOf(config: Placement = {}): types.input.core.v1.PodSpec {
  const { imagePullSecrets, nodeSelector, tolerations, affinity, priorityClassName } = config;
  const placement = { imagePullSecrets, nodeSelector, tolerations, affinity, priorityClassName };
  return defined(placement) as types.input.core.v1.PodSpec;
}

/**
 * Returns a pod spec with the user's configuration. The user's init containers come first, so that a sidecar serves the
 * gate and the migration.
 */
export function withPodConfig(spec: OwnPodSpec, config: PodConfig): types.input.core.v1.PodSpec {
  const { serviceAccountName, topologySpreadConstraints, volumes, initContainers = [] } = config;
  const merged = {
    serviceAccountName,
    initContainers: concat(initContainers.map(addedContainer), spec.initContainers),
    volumes: mergeBy<object>(spec.volumes, volumes, (volume) => nameOf(volume as Named<object>)),
    topologySpreadConstraints: mergeBy<object>(
      spec.topologySpreadConstraints,
      topologySpreadConstraints,
      (constraint) => topologyKeyOf(constraint as { topologyKey: unknown }),
    ),
  };
  return { ...spec, ...placementOf(config), ...defined(merged) } as types.input.core.v1.PodSpec;
}
