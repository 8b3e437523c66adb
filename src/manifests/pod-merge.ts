import { posix } from "node:path";
import type { types } from "@pulumi/kubernetes";
import type { AddedContainer, ContainerConfig, ContainerSecurity, Placement, PodConfig } from "./pod-config.ts";
import { containerSecurityContext } from "./security.ts";

/** Properties by which the items of lists are merged. */
export const listKeys = {
  env: "name",
  volumeMounts: "mountPath",
  imagePullSecrets: "name",
  topologySpreadConstraints: "topologyKey",
  volumes: "name",
  initContainers: "name",
  containers: "name",
} as const;

/** List whose items have a key. */
type KeyedList = keyof typeof listKeys;

/** Returns the value of an item's key. A folder may be written in several ways. */
export function keyOf(list: KeyedList, item: object): unknown {
  const key: unknown = Reflect.get(item, listKeys[list]);
  return list === "volumeMounts" && typeof key === "string" ? posix.resolve("/", key) : key;
}

/**
 * Merges lists by key, as Kubernetes' strategic merge patch does: an item of `own` replaces that of `base` with the same
 * key, and others follow.
 */
function mergeBy<T extends object>(list: KeyedList, base: readonly T[] = [], own: readonly T[] = []): T[] | undefined {
  const isSame = (item: T) => (other: T) => keyOf(list, other) === keyOf(list, item);
  const replaced = base.map((item) => own.find(isSame(item)) ?? item);
  return orUndefined([...replaced, ...own.filter((item) => !base.some(isSame(item)))]);
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

/** Merges two configurations of a container: that of `own` has precedence. */
export function mergeContainerConfigs(base: ContainerConfig, own: ContainerConfig): ContainerConfig {
  return {
    env: mergeBy("env", base.env, own.env),
    envFrom: concat(base.envFrom, own.envFrom),
    resources: mergeResources(base.resources, own.resources),
    securityContext: mergeSecurity(base.securityContext, own.securityContext),
    volumeMounts: mergeBy("volumeMounts", base.volumeMounts, own.volumeMounts),
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
    imagePullSecrets: mergeBy("imagePullSecrets", base.imagePullSecrets, own.imagePullSecrets),
    nodeSelector: mergeMaps(base.nodeSelector, own.nodeSelector),
    tolerations: concat(base.tolerations, own.tolerations),
    topologySpreadConstraints: mergeBy(
      "topologySpreadConstraints",
      base.topologySpreadConstraints,
      own.topologySpreadConstraints,
    ),
    volumes: mergeBy("volumes", base.volumes, own.volumes),
    initContainers: mergeBy("initContainers", base.initContainers, own.initContainers),
    containers: mergeBy("containers", base.containers, own.containers),
  };
}

/** Container of this project, whose lists are plain. */
export interface OwnContainer extends types.input.core.v1.Container {
  env: types.input.core.v1.EnvVar[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}

/** Pod spec of this project, whose lists are plain. */
export interface OwnPodSpec extends types.input.core.v1.PodSpec {
  initContainers?: types.input.core.v1.Container[];
  containers: types.input.core.v1.Container[];
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
  const { serviceAccountName, topologySpreadConstraints, volumes, initContainers = [], containers = [] } = config;
  const merged = {
    serviceAccountName,
    initContainers: concat(initContainers.map(addedContainer), spec.initContainers),
    containers: concat(spec.containers, containers.map(addedContainer)),
    volumes: mergeBy<object>("volumes", spec.volumes, volumes),
    topologySpreadConstraints: mergeBy<object>(
      "topologySpreadConstraints",
      spec.topologySpreadConstraints,
      topologySpreadConstraints,
    ),
  };
  return { ...spec, ...placementOf(config), ...defined(merged) } as types.input.core.v1.PodSpec;
}
