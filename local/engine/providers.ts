import { randomUUID } from "node:crypto";
import { command, commandType } from "./command.ts";
import { diff } from "./diff.ts";
import { unsupported } from "./errors.ts";
import { Kubernetes } from "./kubernetes/provider.ts";
import type { Provider } from "./provider.ts";
import type { Store } from "./state.ts";

const kubernetesProvider = "pulumi:providers:kubernetes";

/** Manages provider resources, which exist in the state only. */
const providerResource: Provider = {
  // The SDK copies KUBECONFIG into the inputs; another path to the file doesn't change the cluster.
  check({ kubeconfig, ...inputs }) {
    return kubeconfig === undefined || kubeconfig === process.env.KUBECONFIG ? inputs : { ...inputs, kubeconfig };
  },
  diff: (old, inputs) => ({ changes: diff(old.inputs, inputs), replace: false, deleteFirst: false }),
  create: async (op, inputs) => ({ id: op.preview ? "" : randomUUID(), outputs: inputs }),
  update: async (_op, _old, inputs) => inputs,
  remove: async () => {},
};

/** The providers of an update, one per cluster. */
export class Providers {
  private readonly clusters = new Map<string, Kubernetes>();
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * Returns the provider of a resource type.
   *
   * @param urn - URN of the explicit provider.
   * @throws {Error} If the type is unsupported.
   */
  of(type: string, urn = ""): Provider {
    if (type === commandType) return command;
    if (type === kubernetesProvider) return providerResource;
    if (!type.startsWith("kubernetes:")) throw unsupported(`the resource type ${type}`);
    const settings = this.store.find(urn);
    if (settings === undefined) throw unsupported(`${type} without an explicit provider`);
    const provider = this.clusters.get(urn) ?? new Kubernetes(settings.inputs);
    this.clusters.set(urn, provider);
    return provider;
  }
}
