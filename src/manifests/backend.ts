import type { types } from "@pulumi/kubernetes";
import type { Input, Unwrap } from "@pulumi/pulumi";
import { type App, appLabels } from "./app.ts";
import { tlsMounts, tlsVariables, tlsVolumes } from "./database-tls.ts";
import {
  appLabel,
  databaseSecretAnnotation,
  defaultContainerAnnotation,
  headAnnotation,
  selectorLabels,
} from "./names.ts";
import type { ContainerConfig, PlainPodConfig, PodConfig } from "./pod-config.ts";
import {
  mergeContainerConfigs,
  type OwnContainer,
  type OwnPodSpec,
  withContainerConfig,
  withPodConfig,
} from "./pod-merge.ts";
import {
  databaseUrlVariable,
  type InitContainerMode,
  type RunnerOptions,
  runnerContainer,
  runnerVolume,
} from "./runner.ts";
import {
  containerSecurityContext,
  type PodSecurityLevel,
  podDefaults,
  podSecurityContext,
  temporary,
} from "./security.ts";

/** Port of a Service. */
export type ServicePort = Unwrap<types.input.core.v1.ServicePort>;

/** Selector of pods. */
export type LabelSelector = Unwrap<types.input.meta.v1.LabelSelector>;

/**
 * Parts of adopted objects that the backend's manifests preserve, so that one Deployment and one Service find the old
 * pods and the new ones. Empty if the objects are as this project declares them.
 */
export interface Preserved {
  /** Selector of the Deployment, which is immutable. */
  readonly selector?: LabelSelector;
  /** Labels that the selectors require of the pods, in addition to this project's. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Selector of the Service. */
  readonly serviceSelector?: Readonly<Record<string, string>>;
  /** Ports of the Service. */
  readonly servicePorts?: readonly ServicePort[];
}

/** Options for the backend's Deployment. */
export interface BackendOptions extends RunnerOptions {
  /** Number of pods. */
  readonly replicas: number;
  /** Task of the init container before the app starts: `upgrade` migrates, `wait` waits for the migration. */
  readonly initContainer: InitContainerMode;
  /**
   * Revisions of later releases that the app can run on.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[] | undefined;
  /**
   * Value that changes with the Secret's content, so that pods with the old content are replaced.
   *
   * @defaultValue pods keep the content that they started with
   */
  readonly secretVersion?: Input<string> | undefined;
  /** App to deploy. */
  readonly app: App;
  /** Revision that the app's code was made for. */
  readonly head: string;
  /**
   * Parts of adopted objects to preserve.
   *
   * @defaultValue none
   */
  readonly preserved?: Preserved | undefined;
  /**
   * Configuration of the pods of an adopted Deployment, which {@link pod} contains, too. The Deployment records it in an
   * annotation, and its resources replace the defaults.
   *
   * @defaultValue none
   */
  readonly preservedPod?: PlainPodConfig | undefined;
  /**
   * Configuration of the pods and of the app's container. The gate gets its variables and its mounts, too.
   *
   * @defaultValue what the project declares
   */
  readonly pod?: PodConfig | undefined;
  /**
   * Configuration of the gate alone.
   *
   * @defaultValue the variables and the mounts of `pod`
   */
  readonly gate?: ContainerConfig | undefined;
  /**
   * Level of the Pod Security Standards that the configuration of the pods must meet.
   *
   * @defaultValue "restricted"
   */
  readonly podSecurityStandard?: PodSecurityLevel | undefined;
  /** Time without progress after which Kubernetes marks a rollout as failed. */
  readonly progressDeadlineSeconds: number;
}

/** Default resources of the backend's container. */
export const backendResources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } };

function probe(path: string, periodSeconds: number, failureThreshold: number): types.input.core.v1.Probe {
  return { httpGet: { path, port: "http" }, periodSeconds, failureThreshold, timeoutSeconds: 3 };
}

function backendContainer(options: BackendOptions): OwnContainer {
  const { app, toleratedRevisions = [], tls, preservedPod } = options;
  const tolerated: types.input.core.v1.EnvVar = { name: "TOLERATED_REVISIONS" }; // empty, otherwise envFrom could set it
  if (toleratedRevisions.length > 0) tolerated.value = toleratedRevisions.join(",");
  return {
    name: app.backend,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    ports: [{ name: "http", containerPort: app.port }],
    env: [databaseUrlVariable(options.secretName), ...tlsVariables(tls), tolerated],
    resources: preservedPod?.resources ?? backendResources,
    securityContext: containerSecurityContext,
    startupProbe: probe(app.paths.alive, 1, 60),
    // Not /health, which fails on old pods as soon as the Job has migrated.
    readinessProbe: probe(app.paths.ready, 2, 3),
    // Must not query the database; otherwise a database outage restarts every pod.
    livenessProbe: probe(app.paths.alive, 10, 3),
    // Requests arrive until every proxy has removed the pod's endpoint; the app must still answer them.
    lifecycle: { preStop: { exec: { command: ["sleep", "2"] } } },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [...tlsMounts(tls), temporary.mount],
  };
}

/** Returns the configuration of the gate: env.py needs what the app needs. */
function gateConfig({ pod = {}, gate = {} }: BackendOptions): ContainerConfig {
  const { env, envFrom, volumeMounts } = pod;
  return mergeContainerConfigs({ env, envFrom, volumeMounts }, gate);
}

/** Returns a constraint that spreads the pods of one release across nodes where possible. */
function spreadAcrossNodes({ backend }: App): types.input.core.v1.TopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selectorLabels(backend) },
    matchLabelKeys: ["pod-template-hash"],
  };
}

/**
 * Returns the spec of the backend's PodDisruptionBudget, which lets a node drain evict one pod at a time, and any pod
 * that is not ready.
 *
 * @returns The spec; `undefined` for a single pod, whose node could otherwise never be drained.
 */
export function disruptionBudgetSpec(
  replicas: number,
  app: App,
): types.input.policy.v1.PodDisruptionBudgetSpec | undefined {
  if (replicas < 2) return undefined;
  return {
    minAvailable: replicas - 1,
    selector: { matchLabels: selectorLabels(app.backend) },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
}

/** Returns the spec of the backend's Deployment, which removes a pod only after its replacement is ready. */
export function backendDeploymentSpec(options: BackendOptions): types.input.apps.v1.DeploymentSpec {
  const { app, preserved = {}, secretVersion, pod = {} } = options;
  const annotations: Record<string, Input<string>> = {
    ...pod.annotations,
    [defaultContainerAnnotation]: app.backend,
    [headAnnotation]: options.head,
  };
  if (secretVersion !== undefined) annotations[databaseSecretAnnotation] = secretVersion;
  const container = withContainerConfig(backendContainer(options), pod);
  if (pod.command !== undefined) container.command = [...pod.command];
  if (pod.args !== undefined) container.args = [...pod.args];
  const podSpec: OwnPodSpec = {
    ...podDefaults(app.accounts.backend),
    securityContext: podSecurityContext(pod.userId ?? app.userId),
    initContainers: [withContainerConfig(runnerContainer(options.initContainer, options), gateConfig(options))],
    containers: [container],
    volumes: [runnerVolume(options.configMapName), ...tlsVolumes(options.tls), temporary.volume],
  };
  if (options.replicas > 1) podSpec.topologySpreadConstraints = [spreadAcrossNodes(app)];
  const labels = { ...pod.labels, ...appLabels(app, app.backend), [appLabel]: app.partOf, ...preserved.podLabels };
  return {
    replicas: options.replicas,
    progressDeadlineSeconds: options.progressDeadlineSeconds,
    revisionHistoryLimit: 3,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: preserved.selector ?? { matchLabels: selectorLabels(app.backend) },
    template: {
      metadata: { labels, annotations },
      spec: withPodConfig(podSpec, pod),
    },
  };
}

/** Returns the ports of the backend's Service. They target a number, because adopted pods may name their ports otherwise. */
export function backendServicePorts({ port }: App): ServicePort[] {
  return [{ name: "http", port, targetPort: port }];
}

/** Returns the spec of the backend's Service. */
export function backendServiceSpec(app: App, preserved: Preserved = {}): types.input.core.v1.ServiceSpec {
  const { serviceSelector = selectorLabels(app.backend), servicePorts = backendServicePorts(app) } = preserved;
  return { selector: { ...serviceSelector }, ports: [...servicePorts] };
}
