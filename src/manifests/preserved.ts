import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";

export type ServicePort = Unwrap<types.input.core.v1.ServicePort>;
export type LabelSelector = Unwrap<types.input.meta.v1.LabelSelector>;

/**
 * What the backend's objects keep of those that were there before the stack, so that pods of both are found by the same
 * Service and Deployment. Empty where all is as this project makes it.
 */
export interface Preserved {
  /** The Deployment's selector, which Kubernetes never changes. */
  readonly selector?: LabelSelector;
  /** Labels by which the pods are selected, beside this project's. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** The Service's selector. */
  readonly serviceSelector?: Readonly<Record<string, string>>;
  /** The Service's ports. */
  readonly servicePorts?: readonly ServicePort[];
}
