import type { Properties } from "./values.ts";

/** One resource as it was last known. */
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
  /** The outputs at the last create or update, when a refresh has since seen others. */
  applied?: Properties;
  dependencies: string[];
  retainOnDelete?: boolean;
  /** Why it exists but is not ready; the next update waits for it again. */
  initErrors?: string[];
  /** Replaced already; to be deleted at the end of an update. */
  delete?: boolean;
}

export interface State {
  salt?: string;
  resources: Resource[];
  /** URNs of the creates that had begun when this was written. */
  pending: string[];
}

/** The type of the resource that stands for the stack; its outputs are the stack's. */
export const stackType = "pulumi:pulumi:Stack";

/** @returns The stack's outputs as the state has them, secrets wrapped. */
export function outputsOf({ resources }: Pick<State, "resources">): Properties {
  return resources.find(({ type }) => type === stackType)?.outputs ?? {};
}

/** @returns The last part of a URN: the resource's name. */
export const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

/** The state during an update, and the way to store it. */
export class Store {
  readonly state: State;
  readonly save: () => Promise<void>;

  constructor(state: State, save: () => Promise<void>) {
    this.state = state;
    this.save = save;
  }

  /** @returns The current resource of that URN, or of one it had before; it has `urn` from then on. */
  find(urn: string, aliases: readonly string[] = []): Resource | undefined {
    const found = this.state.resources.find((item) => !item.delete && [urn, ...aliases].includes(item.urn));
    if (found !== undefined) found.urn = urn;
    return found;
  }

  put(resource: Resource): void {
    const at = this.state.resources.findIndex((item) => item.urn === resource.urn && !item.delete);
    if (at < 0) this.state.resources.push(resource);
    else this.state.resources[at] = resource;
  }

  async drop(resource: Resource): Promise<void> {
    this.state.resources = this.state.resources.filter((item) => item !== resource);
    await this.save();
  }

  /** Notes that a create begins, so that a run after a crash knows of it. */
  async begin(urn: string): Promise<void> {
    this.end(urn);
    this.state.pending.push(urn);
    await this.save();
  }

  end(urn: string): void {
    this.state.pending = this.state.pending.filter((item) => item !== urn);
  }
}
