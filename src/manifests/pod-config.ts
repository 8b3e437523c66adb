import type { types } from "@pulumi/kubernetes";
import type { Input, Unwrap } from "@pulumi/pulumi";

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
  readonly securityContext?: ContainerSecurity | undefined;
  readonly ports?: readonly types.input.core.v1.ContainerPort[] | undefined;
  readonly volumeMounts?: readonly Named<VolumeMount>[] | undefined;
};

/** Properties of a pod's configuration with the user's containers. */
export const addedContainers = ["initContainers", "containers"] as const;

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
  readonly resources?: { readonly requests?: ValueMap | undefined; readonly limits?: ValueMap | undefined } | undefined;
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
  /**
   * Containers beside the app's. The migration Job has none, because it could not complete.
   *
   * @defaultValue none
   */
  readonly containers?: readonly AddedContainer[] | undefined;
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

/** The parts of a configuration that decide which node runs a pod, and whether it can pull the pod's images. */
export type Placement = Pick<
  PodConfig,
  "imagePullSecrets" | "nodeSelector" | "tolerations" | "affinity" | "priorityClassName"
>;

/** Placement without outputs. */
export type PlainPlacement = Unwrap<Placement>;
