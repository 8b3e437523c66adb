import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { type App, appLabels, unity } from "./app.ts";
import { tlsMounts, tlsVariables, tlsVolumes } from "./database-tls.ts";
import { selectorLabels } from "./names.ts";
import type { Preserved, ServicePort } from "./preserved.ts";
import {
  databaseUrlVariable,
  type InitContainerMode,
  type RunnerOptions,
  runnerContainer,
  runnerVolume,
} from "./runner.ts";
import { containerSecurityContext, podDefaults, podSecurityContext, temporary } from "./security.ts";

/** What the backend's Deployment is made of. */
export interface BackendOptions extends RunnerOptions {
  /** Pods to run. */
  readonly replicas: number;
  /** What the init container does before the app starts. */
  readonly initContainer: InitContainerMode;
  /**
   * Revisions of later releases that the database may be at.
   *
   * @defaultValue none
   */
  readonly toleratedRevisions?: readonly string[] | undefined;
  /**
   * Changes when the Secret's content does, so that pods with the old one are replaced.
   *
   * @defaultValue pods keep what they started with
   */
  readonly secretVersion?: Input<string> | undefined;
  /**
   * What is deployed.
   *
   * @defaultValue Unity
   */
  readonly app?: App | undefined;
  /**
   * What is kept of a backend that was there before the stack.
   *
   * @defaultValue nothing
   */
  readonly preserved?: Preserved | undefined;
  /** How long a rollout may stand still before Kubernetes calls it failed. */
  readonly progressDeadlineSeconds: number;
}

/** A probe of one of the backend's paths. */
function probe(path: string, periodSeconds: number, failureThreshold: number): types.input.core.v1.Probe {
  return { httpGet: { path, port: "http" }, periodSeconds, failureThreshold, timeoutSeconds: 3 };
}

/** What the app accepts beside its own head, for `/health`. */
function toleratedVariable(revisions: readonly string[] = []): types.input.core.v1.EnvVar[] {
  return revisions.length > 0 ? [{ name: "TOLERATED_REVISIONS", value: revisions.join(",") }] : [];
}

function backendContainer(options: BackendOptions): types.input.core.v1.Container {
  const { backend, port, paths } = options.app ?? unity;
  return {
    name: backend,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    ports: [{ name: "http", containerPort: port }],
    env: [
      databaseUrlVariable(options.secretName),
      ...tlsVariables(options.tls),
      ...toleratedVariable(options.toleratedRevisions),
    ],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
    securityContext: containerSecurityContext,
    startupProbe: probe(paths.alive, 1, 60),
    // Not /health: that is unhealthy from when the Job has migrated until this code's successor runs. And alive must not
    // ask for the database, or its pause restarts pods.
    readinessProbe: probe(paths.ready, 2, 3),
    livenessProbe: probe(paths.alive, 10, 3),
    // Until every proxy has taken the pod off its list, requests still come: the app must still answer them.
    lifecycle: { preStop: { exec: { command: ["sleep", "2"] } } },
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [...tlsMounts(options.tls), temporary.mount],
  };
}

/** The pods of one release go to nodes of their own as far as there are any; where there are none, they run all the same. */
const overNodes = ({ backend }: App): types.input.core.v1.TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: "kubernetes.io/hostname",
  whenUnsatisfiable: "ScheduleAnyway",
  labelSelector: { matchLabels: selectorLabels(backend) },
  matchLabelKeys: ["pod-template-hash"],
});

/**
 * Spec of the backend's PodDisruptionBudget: what empties a node takes one pod at a time. One that doesn't serve anyway
 * is in nobody's way.
 *
 * @returns `undefined` for a single pod, with which no node could ever be emptied.
 */
export function disruptionBudgetSpec(
  replicas: number,
  app: App = unity,
): types.input.policy.v1.PodDisruptionBudgetSpec | undefined {
  if (replicas < 2) return undefined;
  return {
    minAvailable: replicas - 1,
    selector: { matchLabels: selectorLabels(app.backend) },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
}

/** Spec of the backend's Deployment: no pod goes before its successor is ready. */
export function backendDeploymentSpec(options: BackendOptions): types.input.apps.v1.DeploymentSpec {
  const { app = unity } = options;
  return {
    replicas: options.replicas,
    progressDeadlineSeconds: options.progressDeadlineSeconds,
    revisionHistoryLimit: 3,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: options.preserved?.selector ?? { matchLabels: selectorLabels(app.backend) },
    template: {
      metadata: {
        labels: { ...appLabels(app, app.backend), ...options.preserved?.podLabels },
        annotations: {
          "kubectl.kubernetes.io/default-container": app.backend,
          ...(options.secretVersion !== undefined && { "unity/database-secret": options.secretVersion }),
        },
      },
      spec: {
        ...podDefaults(app.accounts.backend),
        securityContext: podSecurityContext(app.userId),
        initContainers: [runnerContainer(options.initContainer, options)],
        containers: [backendContainer(options)],
        ...(options.replicas > 1 && { topologySpreadConstraints: [overNodes(app)] }),
        volumes: [runnerVolume(options.configMapName), ...tlsVolumes(options.tls), temporary.volume],
      },
    },
  };
}

/** Ports of the backend's Service: by number, since the pods that a stack takes over name theirs as they like. */
export function backendServicePorts({ port }: App = unity): ServicePort[] {
  return [{ name: "http", port, targetPort: port }];
}

/** Spec of the backend's Service. */
export function backendServiceSpec(
  { serviceSelector, servicePorts }: Preserved = {},
  app: App = unity,
): types.input.core.v1.ServiceSpec {
  return {
    selector: { ...(serviceSelector ?? selectorLabels(app.backend)) },
    ports: [...(servicePorts ?? backendServicePorts(app))],
  };
}
