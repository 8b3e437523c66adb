/** A port of a Service. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: string;
}

/** A selector of pods, as Kubernetes has it. */
export interface LabelSelector {
  readonly matchLabels?: Record<string, string>;
  readonly matchExpressions?: { readonly key: string; readonly operator: string; readonly values?: string[] }[];
}

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
