import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import {
  type BackendOptions,
  backendDeploymentSpec,
  backendServiceSpec,
  disruptionBudgetSpec,
} from "../src/manifests/backend.ts";
import {
  childOptions,
  objectMetadata,
  serviceAccount,
  withFieldManager,
  withFormerType,
  withoutAwait,
  withPreservedPod,
} from "./children.ts";
import { clusterInputs, waitCommand } from "./commands.ts";
import { validatePods, withoutSecrets } from "./pod-config.ts";
import type { RolledOut } from "./post-deploy-verification.ts";

/** Arguments of {@link BackendDeployment}. */
export interface BackendDeploymentArgs extends BackendOptions, ClusterArgs {
  /** Kubernetes namespace of the Deployment, its Service, and its Secret. */
  readonly namespace: pulumi.Input<string>;
  /**
   * Name of the migration Job. After each Job, the update waits for the pods and verifies them again.
   *
   * @defaultValue nothing: the update waits only if the Deployment changes
   */
  readonly jobName?: pulumi.Input<string> | undefined;
}

/**
 * Deploys the backend: a Deployment whose pods migrate the database or wait for it before the app starts, a Service, and a
 * PodDisruptionBudget for multiple pods. Resources that depend on it are created only after every new pod is ready.
 *
 * @example
 * ```ts
 * const migration = new MigrationJob("migration", { ...options, ...target, attempt }, { provider });
 * const service = new BackendDeployment(
 *   "service",
 *   {
 *     ...options,
 *     ...target,
 *     configMapName: migration.configMapName,
 *     jobName: migration.jobName,
 *     replicas: 2,
 *     initContainer: "wait",
 *     progressDeadlineSeconds: 120,
 *   },
 *   { provider, dependsOn: migration },
 * );
 * ```
 */
export class BackendDeployment extends pulumi.ComponentResource implements RolledOut {
  static readonly token = "pulumi-alembic:index:BackendDeployment";
  readonly deploymentName: string;
  /** UID and generation of the Deployment and name of the Job: a value that changes if one of them changes. */
  readonly rollout: pulumi.Output<string>;

  constructor(name: string, args: BackendDeploymentArgs, options?: pulumi.ComponentResourceOptions) {
    super(BackendDeployment.token, name, {}, withFormerType(BackendDeployment.token, options));
    validatePods(this, "backend", args);
    const { namespace, replicas, progressDeadlineSeconds } = args;
    const { preserved, preservedPod, jobName, app } = args;

    const metadata = objectMetadata(app.backend, namespace, app.backend, app);
    const serviceSpec = backendServiceSpec(app, preserved);
    const pod = withoutSecrets(this, "pod", args.pod);
    const gate = withoutSecrets(this, "gate", args.gate);
    const deploymentSpec = backendDeploymentSpec({ ...args, pod, gate });
    const budgetSpec = disruptionBudgetSpec(replicas, app);

    const own = childOptions(this, options);
    const account = serviceAccount(name, app.accounts.backend, namespace, app.backend, own, app, pod);
    // Before the Deployment, so that the Service of an adopted Deployment selects the old pods and the new ones.
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata), spec: serviceSpec },
      own,
    );
    // The provider's own wait ignores init containers and crashes, so it would not report a cause before its timeout.
    const deployment = new k8s.apps.v1.Deployment(
      name,
      { metadata: withPreservedPod(withFieldManager(withoutAwait(metadata)), preservedPod), spec: deploymentSpec },
      childOptions(this, options, { dependsOn: [service, account] }),
    );
    if (budgetSpec !== undefined)
      new k8s.policy.v1.PodDisruptionBudget(`${name}-budget`, { metadata, spec: budgetSpec }, own);
    const { uid, generation } = deployment.metadata;
    // Without the Job, pods that restart while it runs would be verified before they are ready.
    const rollout = pulumi.all([uid, generation, jobName]).apply((parts) => parts.filter(Boolean).join("/"));
    // Pods are replaced one by one, each within the deadline; Kubernetes must be the first to report that it passed.
    const timeoutSeconds = progressDeadlineSeconds * replicas + 30;
    const target = { ...clusterInputs(args), namespace, name: app.backend, timeoutSeconds };
    waitCommand(`${name}-rollout`, "rollout", target, rollout, { parent: this, dependsOn: deployment });

    const outputs = { rollout };
    this.deploymentName = app.backend;
    this.rollout = outputs.rollout;
    this.registerOutputs(outputs);
  }
}
