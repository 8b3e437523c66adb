import { randomUUID } from "node:crypto";
import { command, commandType } from "./command.ts";
import { type Change, diff, type Path } from "./diff.ts";
import { Kubernetes } from "./kubernetes/provider.ts";
import type { Resource, Store } from "./state.ts";
import { unsupported } from "./unsupported.ts";
import type { Properties } from "./values.ts";

/** What a provider gets for one operation on one resource. */
export interface Operation {
  readonly name: string;
  /** Only compute what would be. */
  readonly preview: boolean;
  /** Whether what exists under the same name may be adopted: an earlier run was ended while it made it. */
  readonly takeOver: boolean;
  /** Properties that stay as they are. */
  readonly ignored: readonly Path[];
  readonly signal: AbortSignal;
  /** Tells people what is going on; shown under the resource's name. */
  status(message: string): void;
}

/** What differs, and whether that needs a new object. */
export interface Difference {
  readonly changes: readonly Change[];
  readonly replace: boolean;
  /** The new object has the old one's name, so the old one has to go first. */
  readonly deleteFirst: boolean;
}

export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/** A kind of resources: how they are checked, compared, made and removed. */
export interface Provider {
  /** @returns The inputs completed; throws what is wrong with them. */
  check(inputs: Properties): Properties;
  /** @param ignored Properties that stay as they are: the inputs have the old ones already. */
  diff(old: Resource, inputs: Properties, ignored: readonly Path[]): Difference;
  create(op: Operation, inputs: Properties): Promise<Created>;
  update(op: Operation, old: Resource, inputs: Properties): Promise<Properties>;
  remove(op: Operation, old: Resource): Promise<void>;
  /** @returns The live outputs; `undefined` when it is gone. Absent where there is nothing to look at. */
  read?(old: Resource): Promise<Properties | undefined>;
}

/** It exists, but did not become ready: recorded in the state, and a failure of the update. */
export class NotReady extends Error {
  readonly created: Created;

  constructor(message: string, created: Created) {
    super(message);
    this.created = created;
  }
}

const kubernetesProvider = "pulumi:providers:kubernetes";
/** A provider is a resource too, with nothing behind it. */
const providerResource: Provider = {
  // The SDK copies KUBECONFIG into the inputs; where the file lies is no change of the cluster.
  check({ kubeconfig, ...inputs }) {
    if (kubeconfig !== undefined && kubeconfig !== process.env.KUBECONFIG)
      throw unsupported("the Kubernetes provider's kubeconfig, other than by KUBECONFIG,");
    return inputs;
  },
  diff: (old, inputs) => ({ changes: diff(old.inputs, inputs), replace: false, deleteFirst: false }),
  create: async (op, inputs) => ({ id: op.preview ? "" : randomUUID(), outputs: inputs }),
  update: async (_op, _old, inputs) => inputs,
  remove: async () => {},
};

/** The providers of an update, made once each. */
export class Providers {
  private readonly clusters = new Map<string, Kubernetes>();
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** @returns What handles a resource type; `urn` is that of the explicit provider. Throws for an unknown type. */
  of(type: string, urn = ""): Provider {
    if (type === commandType) return command;
    if (type === kubernetesProvider) return providerResource;
    if (!type.startsWith("kubernetes:")) throw unsupported(`the resource type ${type}`);
    const settings = this.store.find(urn);
    if (settings === undefined) throw unsupported(`${type} without an explicit provider`);
    const made = this.clusters.get(urn) ?? new Kubernetes(settings.inputs);
    this.clusters.set(urn, made);
    return made;
  }
}
