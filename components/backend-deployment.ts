import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type BackendOptions, backendDeploymentSpec, backendServiceSpec } from "../manifests/backend.ts";
import { names } from "../manifests/names.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata, withoutAwait } from "./metadata.ts";

/** Arguments of {@link BackendDeployment}. */
export interface BackendDeploymentArgs extends BackendOptions {
  readonly namespace: pulumi.Input<string>;
}

/** The backend: its Deployment, whose pods migrate or wait before the app starts, and its Service. */
export class BackendDeployment extends pulumi.ComponentResource {
  static readonly token = "unity:index:BackendDeployment";
  /** Changes with every change of the Deployment, and only then: its uid and its generation. */
  readonly rollout: pulumi.Output<string>;

  constructor(name: string, args: BackendDeploymentArgs, options?: pulumi.ComponentResourceOptions) {
    super(BackendDeployment.token, name, {}, options);
    const metadata = objectMetadata(names.backend, args.namespace, names.backend);
    // Pods are replaced one after the other, and each has the deadline; Kubernetes must be the first to call it passed.
    const timeout = `${args.progressDeadlineSeconds * args.replicas + 30}s`;

    const deployment = new k8s.apps.v1.Deployment(
      name,
      { metadata, spec: backendDeploymentSpec(args) },
      childOptions(this, options, { customTimeouts: { create: timeout, update: timeout } }),
    );
    new k8s.core.v1.Service(
      `${name}-service`,
      { metadata: withoutAwait(metadata), spec: backendServiceSpec() },
      childOptions(this, options),
    );
    const { uid, generation } = deployment.metadata;
    this.rollout = pulumi.interpolate`${uid}/${generation}`;
    this.registerOutputs({ rollout: this.rollout });
  }
}
