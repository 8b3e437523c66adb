import type { Change, Path } from "./diff.ts";
import type { Resource } from "./state.ts";
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
