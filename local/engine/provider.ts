import type { Change, Path } from "./diff.ts";
import type { Resource } from "./state.ts";
import type { Properties } from "./values.ts";

/** An operation on one resource. */
export interface Operation {
  readonly name: string;
  /** Whether to compute the result only. */
  readonly preview: boolean;
  /** Whether to adopt an existing object of this name: a previous create was interrupted. */
  readonly adopt: boolean;
  /** Properties to leave unchanged. */
  readonly ignored: readonly Path[];
  readonly signal: AbortSignal;
  /** Prints progress under the resource's name. */
  status(message: string): void;
}

/** The changes of a resource, and whether they need a new object. */
export interface Difference {
  readonly changes: readonly Change[];
  readonly replace: boolean;
  /** Whether to delete the old object first, because the new one has the same name. */
  readonly deleteFirst: boolean;
}

export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/** Manages resources of some types. */
export interface Provider {
  /** Validates the inputs and adds defaults. */
  check(inputs: Properties): Properties;
  /** @param ignored - Properties to leave unchanged: `inputs` has their old values. */
  diff(old: Resource, inputs: Properties, ignored: readonly Path[]): Difference;
  create(op: Operation, inputs: Properties): Promise<Created>;
  update(op: Operation, old: Resource, inputs: Properties): Promise<Properties>;
  remove(op: Operation, old: Resource): Promise<void>;
  /** Returns the live outputs; `undefined` if the object doesn't exist. Absent for types without live state. */
  read?(old: Resource): Promise<Properties | undefined>;
}

/** The resource exists but isn't ready: the state records it, and the update fails. */
export class NotReady extends Error {
  readonly created: Created;

  constructor(message: string, created: Created) {
    super(message);
    this.created = created;
  }
}
