import { randomUUID } from "node:crypto";
import { command, commandType } from "./command.ts";
import { diff } from "./diff.ts";
import { Kubernetes } from "./kubernetes/provider.ts";
import type { Provider } from "./provider.ts";
import type { Store } from "./state.ts";

/** Providers are resources too, with nothing behind them. */
const providerResource: Provider = {
  // The SDK copies KUBECONFIG into the inputs; where the file lies is no change of the cluster.
  check: async (_op, { kubeconfig, ...inputs }) =>
    kubeconfig === undefined || kubeconfig === process.env.KUBECONFIG ? inputs : { ...inputs, kubeconfig },
  diff: (old, inputs) => ({ changes: diff(old.inputs, inputs), replace: false, deleteFirst: false }),
  create: async (op, inputs) => ({ id: op.preview ? "" : randomUUID(), outputs: inputs }),
  update: async (_op, _old, inputs) => inputs,
  remove: async () => {},
};

/** The providers of an update, made once each. */
export class Providers {
  private readonly clusters = new Map<string, Kubernetes>();
  private readonly store: Store;
  private readonly config: { readonly [key: string]: string };

  /** @param config The stack's settings: `kubernetes:*` are the default provider's inputs. */
  constructor(store: Store, config: Providers["config"]) {
    this.store = store;
    this.config = config;
  }

  /** @returns What handles a resource type; `urn` is that of the explicit provider. Throws for an unknown type. */
  of(type: string, urn = ""): Provider {
    if (type === commandType) return command;
    if (type === "pulumi:providers:kubernetes" || type === "pulumi:providers:command") return providerResource;
    if (!type.startsWith("kubernetes:"))
      throw new Error(
        `the resource type ${type} is not supported by the embedded engine, only kubernetes:* and ${commandType}: use the Pulumi CLI`,
      );
    const made = this.clusters.get(urn) ?? new Kubernetes(this.inputs(urn));
    this.clusters.set(urn, made);
    return made;
  }

  private inputs(urn: string) {
    const set = Object.entries(this.config).filter(([key]) => key.startsWith("kubernetes:"));
    if (urn === "") return Object.fromEntries(set.map(([key, value]) => [key.slice("kubernetes:".length), value]));
    const found = this.store.find(urn);
    if (found === undefined) throw new Error(`the provider ${urn} is not in the state: it has to be registered first`);
    return found.inputs;
  }
}
