import { isObject, type Json, objectKinds, partKinds, type SchemaChange } from "./database-schema/changes.ts";
import { type LockMode, lockModes } from "./statement-lock.ts";

/** The rehearsal that the evidence of a lockfile is from. */
export interface LockedRehearsal {
  /** Hash of the chain that was rehearsed, and of the major version: `rehearsalDigest`. */
  readonly chain: string;
  /** Major version of PostgreSQL. */
  readonly postgres: string;
  /** Variables that env.py got, such as `DB_HOST={host}`. */
  readonly env: readonly string[];
  /** Differences of env.py's models from the schema at the head; `null` if it has no models. */
  readonly models: readonly string[] | null;
}

/** Effects of a revision when it was rehearsed. */
export interface LockedEffects {
  /** Locks on existing tables that each statement was the first to take, except those that any reader takes. */
  readonly locks: readonly PackedLock[];
  readonly changes: readonly PackedChange[];
  readonly downgrade: "complete" | "incomplete" | "failed";
  /** Differences from before after upgrade and downgrade; absent if there are none. */
  readonly leaves?: readonly PackedChange[];
  /** Why the downgrade failed, or the upgrade after it. */
  readonly error?: string;
  /** Present if the upgrade differs between two runs: then its locks and changes are not recorded. */
  readonly nondeterministic?: true;
  /** The environment variable that the revision depends on: then neither statements, locks, nor changes are recorded. */
  readonly variable?: string;
}

/** A lock in one line of the lockfile: the index of the statement in the upgrade's SQL, the table, and the mode. */
export type PackedLock = readonly [statement: number, table: string, mode: LockMode];

/**
 * A change in one line of the lockfile: `["+", kind, name, ...path, value]`, `["-", kind, name, ...path]`, or
 * `["~", kind, name, ...path, from, to]`. The parts of an object that is added follow it, each in a line of its own.
 */
export type PackedChange = readonly Json[];

const signs = { added: "+", removed: "-", changed: "~" } as const;

/** Packs changes. */
export function packChanges(changes: readonly SchemaChange[]): PackedChange[] {
  return changes.flatMap(({ kind, object, path, from, to }) => {
    const start = [signs[kind], object.kind, object.name, ...path];
    if (kind === "removed") return [start];
    if (kind === "changed") return [[...start, from, to]];
    if (path.length > 0 || !isObject(to)) return [[...start, to]];
    const isPart = ([key, value]: [string, Json]) => partKinds.has(key) && isObject(value);
    const entries = Object.entries(to);
    const parts = entries
      .filter(isPart)
      .flatMap(([key, named]) => Object.entries(named as object).map((part) => [key, ...part]));
    const own = Object.fromEntries(entries.filter((entry) => !isPart(entry)));
    return [[...start, own], ...parts.map((part) => [...start, ...part])];
  });
}

/** Unpacks changes. What was removed is not known. */
export function unpackChanges(packed: readonly PackedChange[]): SchemaChange[] {
  return packed.map(([sign, kind, name, ...rest]) => {
    const object = { kind, name } as SchemaChange["object"];
    const change = { object, from: null, to: null };
    if (sign === "-") return { ...change, kind: "removed", path: rest as string[] };
    if (sign === "+") return { ...change, kind: "added", path: rest.slice(0, -1) as string[], to: rest.at(-1) ?? null };
    return {
      object,
      kind: "changed",
      path: rest.slice(0, -2) as string[],
      from: rest.at(-2) ?? null,
      to: rest.at(-1) ?? null,
    };
  });
}

/** Whether a value is a packed change. */
export function isPackedChange(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [sign, kind, name, ...rest] = value;
  const path = sign === "-" ? rest : rest.slice(0, sign === "+" ? -1 : -2);
  return (
    ["+", "-", "~"].includes(sign) &&
    objectKinds.includes(kind) &&
    [name, ...path].every((each) => typeof each === "string") &&
    rest.length >= { "+": 1, "-": 0, "~": 3 }[sign as "+" | "-" | "~"]
  );
}

/** Whether a value is a packed lock. */
export function isPackedLock(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [statement, table, mode] = value;
  return Number.isInteger(statement) && statement >= 0 && typeof table === "string" && lockModes.includes(mode);
}
