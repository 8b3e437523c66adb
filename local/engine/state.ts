import type { Properties } from "./values.ts";

/** A resource in the state. */
export interface Resource {
  urn: string;
  type: string;
  custom: boolean;
  id?: string;
  parent?: string;
  /** URN of the explicit provider. */
  provider?: string;
  inputs: Properties;
  outputs: Properties;
  /** The outputs of the last create or update, if a refresh read others since. */
  applied?: Properties;
  dependencies: string[];
  retainOnDelete?: boolean;
  /** Why it exists but isn't ready; the next update waits for it again. */
  initErrors?: string[];
  /** Whether it was replaced and is deleted at the end of an update. */
  delete?: boolean;
}

export interface State {
  salt?: string;
  resources: Resource[];
  /** URNs of creates that had started when the state was written. */
  pending: string[];
}

/** The root resource, whose outputs are the stack's. */
export const stackType = "pulumi:pulumi:Stack";

/** Returns the stack's outputs, secrets wrapped. */
export function outputsOf({ resources }: Pick<State, "resources">): Properties {
  return resources.find(({ type }) => type === stackType)?.outputs ?? {};
}

/** Returns the resource's name in a URN. */
export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

/** The state of a running update. */
export class Store {
  readonly state: State;
  readonly save: () => Promise<void>;

  constructor(state: State, save: () => Promise<void>) {
    this.state = state;
    this.save = save;
  }

  /** Finds a resource by its URN or a previous one, which is replaced by `urn`. */
  find(urn: string, aliases: readonly string[] = []): Resource | undefined {
    const found = this.state.resources.find((item) => !item.delete && [urn, ...aliases].includes(item.urn));
    if (found !== undefined) found.urn = urn;
    return found;
  }

  put(resource: Resource): void {
    const index = this.state.resources.findIndex((item) => item.urn === resource.urn && !item.delete);
    if (index < 0) this.state.resources.push(resource);
    else this.state.resources[index] = resource;
  }

  async drop(resource: Resource): Promise<void> {
    this.state.resources = this.state.resources.filter((item) => item !== resource);
    await this.save();
  }

  /** Records the start of a create, so that the next run knows of it after a crash. */
  async begin(urn: string): Promise<void> {
    this.end(urn);
    this.state.pending.push(urn);
    await this.save();
  }

  end(urn: string): void {
    this.state.pending = this.state.pending.filter((item) => item !== urn);
  }
}
