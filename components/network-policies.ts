import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { names } from "../src/manifests/names.ts";
import { type DatabasePlace, networkPolicies } from "../src/manifests/network-policies.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata } from "./metadata.ts";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** Where the database is that Unity's pods may reach. */
  readonly database: DatabasePlace;
}

/** What Unity's pods may say to whom; it holds on clusters whose network enforces network policies. */
export class NetworkPolicies extends pulumi.ComponentResource {
  static readonly token = "unity:index:NetworkPolicies";

  constructor(name: string, args: NetworkPoliciesArgs, options?: pulumi.ComponentResourceOptions) {
    super(NetworkPolicies.token, name, {}, options);
    for (const { name: policy, spec } of networkPolicies(args.database)) {
      const metadata = objectMetadata(policy, args.namespace, names.networkPolicies);
      new k8s.networking.v1.NetworkPolicy(policy, { metadata, spec }, childOptions(this, options));
    }
    this.registerOutputs({});
  }
}
