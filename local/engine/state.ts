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
  protect?: boolean;
  retainOnDelete?: boolean;
  deleteTimeoutSeconds?: number;
  /** Why it exists but is not ready; the next update waits for it again. */
  initErrors?: string[];
  /** Replaced already; to be deleted at the end of an update. */
  delete?: boolean;
}

/** A create that had begun when this was written. */
export interface Pending {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Properties;
}

export interface State {
  salt?: string;
  resources: Resource[];
  pending: Pending[];
}

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
    const known = [urn, ...aliases];
    const found = this.state.resources.find((item) => !item.delete && known.includes(item.urn));
    if (found !== undefined) found.urn = urn;
    return found;
  }

  pending(urn: string): Pending | undefined {
    return this.state.pending.find((item) => item.urn === urn);
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
  async begin({ urn, type, inputs }: Resource): Promise<void> {
    this.end(urn);
    this.state.pending.push({ urn, type, inputs });
    await this.save();
  }

  end(urn: string): void {
    this.state.pending = this.state.pending.filter((item) => item.urn !== urn);
  }
}
