import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { unity } from "../src/manifests/app.ts";
import { names } from "../src/manifests/names.ts";
import { type DatabasePlace, networkPolicies } from "../src/manifests/network-policies.ts";
import { childOptions, objectMetadata, withFormerType } from "./children.ts";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  /** Kubernetes namespace of the policies. */
  readonly namespace: pulumi.Input<string>;
  /** Database that Unity's pods may connect to. */
  readonly database: DatabasePlace;
}

/**
 * Limits the connections of Unity's pods, on clusters that enforce network policies.
 *
 * @example
 * ```ts
 * new NetworkPolicies("network-policies", { namespace: "unity", database: { kind: "owned" } }, { provider });
 * ```
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  static readonly token = "pulumi-alembic:index:NetworkPolicies";

  constructor(name: string, args: NetworkPoliciesArgs, options?: pulumi.ComponentResourceOptions) {
    super(NetworkPolicies.token, name, {}, withFormerType(NetworkPolicies.token, options));
    for (const policy of networkPolicies(args.database)) {
      const metadata = objectMetadata(policy.name, args.namespace, names.networkPolicies, unity);
      const own = childOptions(this, options);
      new k8s.networking.v1.NetworkPolicy(policy.name, { metadata, spec: policy.spec }, own);
    }
    this.registerOutputs({});
  }
}
