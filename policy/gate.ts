import * as pulumi from "@pulumi/pulumi";
import type { Declared } from "./declared.ts";
import { describeViolations, labelOf, violations } from "./rules.ts";

/**
 * Holds back everything that is declared until all of it was judged, so that a fault of the last resource keeps back the
 * first. A policy pack would judge the same at a resource's turn, when others exist already, and needs the Pulumi CLI.
 */
export class PolicyGate {
  readonly #declared: Declared[] = [];
  readonly #labels = new Map<unknown, string>();
  readonly #opened: Promise<void>;
  #open: () => void = () => {};
  #close: (fault: Error) => void = () => {};

  constructor() {
    this.#opened = new Promise((resolve, reject) => {
      this.#open = resolve;
      this.#close = reject;
    });
  }

  /** Belongs among the options of each resource at the top; children have their parent's. */
  readonly transformation: pulumi.ResourceTransformation = ({ resource, type, name, props, opts }) => {
    const { dependsOn } = opts;
    const declared = { type, name, properties: props };
    this.#labels.set(resource, labelOf(declared));
    const first = [dependsOn ?? []].flat() as pulumi.Input<pulumi.Resource>[];
    const after = first.flatMap((item) => this.#labels.get(item) ?? []);
    this.#declared.push({ ...declared, after });
    const heldBack: Promise<pulumi.Input<pulumi.Resource>[]> = this.#opened.then(() => first);
    return { props, opts: { ...opts, dependsOn: heldBack } };
  };

  /** Lets through what was declared until now. @throws {pulumi.RunError} If any of it must never be. */
  open(isProduction: boolean): void {
    const found = violations(this.#declared, isProduction);
    if (found.length > 0) {
      // Every registration ends with this one error, which Pulumi therefore tells once.
      const fault = new pulumi.RunError(describeViolations(found));
      this.#close(fault);
      throw fault;
    }
    this.#open();
  }
}
