import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { unity } from "../src/manifests/app.ts";
import {
  type BackendOptions,
  backendDeploymentSpec,
  backendServiceSpec,
  disruptionBudgetSpec,
} from "../src/manifests/backend.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata, withFieldManager, withoutAwait } from "./metadata.ts";
import { serviceAccount } from "./service-account.ts";
import { waitCommand } from "./wait-command.ts";

/** Arguments of {@link BackendDeployment}. */
export interface BackendDeploymentArgs extends BackendOptions {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** Context of the kubeconfig, in which the rollout is watched. */
  readonly context: string;
}

/**
 * The backend: its Deployment, whose pods migrate or wait before the app starts, its Service and, for several pods, their
 * PodDisruptionBudget. What depends on it exists only once every pod of the new release serves.
 */
export class BackendDeployment extends pulumi.ComponentResource {
  static readonly token = "unity:index:BackendDeployment";
  /** Changes with every change of the Deployment, and only then: its uid and its generation. */
  readonly rollout: pulumi.Output<string>;

  constructor(name: string, args: BackendDeploymentArgs, options?: pulumi.ComponentResourceOptions) {
    super(BackendDeployment.token, name, {}, options);
    const { app = unity, namespace } = args;
    const metadata = objectMetadata(app.backend, namespace, app.backend, app);
    const own = childOptions(this, options);
    const account = serviceAccount(name, app.accounts.backend, namespace, app.backend, own, app);
    // First, so that it leads to the pods of a Deployment that is taken over and to those after them alike.
    const service = new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata), spec: backendServiceSpec(args.preserved, app) },
      own,
    );
    // The provider's own wait sees no init containers and no crashes, and so names no cause before its timeout.
    const deployment = new k8s.apps.v1.Deployment(
      name,
      { metadata: withFieldManager(withoutAwait(metadata)), spec: backendDeploymentSpec(args) },
      childOptions(this, options, { dependsOn: [service, account] }),
    );
    const disruptionBudget = disruptionBudgetSpec(args.replicas, app);
    if (disruptionBudget !== undefined)
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-budget`,
        { metadata, spec: disruptionBudget },
        childOptions(this, options),
      );
    const { uid, generation } = deployment.metadata;
    this.rollout = pulumi.interpolate`${uid}/${generation}`;
    const { context, progressDeadlineSeconds, replicas } = args;
    // Pods are replaced one after the other, and each has the deadline; Kubernetes must be the first to call it passed.
    const timeoutSeconds = progressDeadlineSeconds * replicas + 30;
    const target = { context, namespace, name: app.backend, timeoutSeconds };
    waitCommand(`${name}-rollout`, "rollout", target, this.rollout, { parent: this, dependsOn: deployment });
    this.registerOutputs({ rollout: this.rollout });
  }
}
