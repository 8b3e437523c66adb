import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../shape.ts";
import type { DatabaseSchema } from "./database-schema.ts";

/** Kinds of objects: the properties of {@link DatabaseSchema}. */
export const objectKinds = [
  "extensions",
  "schemas",
  "enums",
  "domains",
  "composites",
  "ranges",
  "sequences",
  "tables",
  "views",
  "functions",
  "eventTriggers",
] as const satisfies readonly (keyof DatabaseSchema)[];

/** One of {@link objectKinds}. */
export type ObjectKind = (typeof objectKinds)[number];

/** A value of JSON; `null` for what is absent. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A difference between two schemas: `added` and `removed` are objects and their named parts, such as columns; `changed` are
 * their properties.
 */
export interface SchemaChange {
  readonly kind: "added" | "removed" | "changed";
  readonly object: { readonly kind: ObjectKind; readonly name: string };
  /** Path in the object, such as `["columns", "email", "type"]`; empty if the object itself was added or removed. */
  readonly path: readonly string[];
  /** `null` if it is added, or a property had its default. */
  readonly from: Json;
  /** `null` if it is removed, or a property has its default. */
  readonly to: Json;
}

type JsonObject = { [key: string]: Json };

/** Properties that contain named parts, except that `columns` of a constraint or an index is a list. */
export const partKinds: ReadonlySet<string> = new Set([
  "columns",
  "constraints",
  "indexes",
  "triggers",
  "policies",
  "rules",
  "statistics",
  "grants",
]);

/** Returns the changes that lead from one schema to another, by kind of object, name, and path. */
export function compareSchemas(from: DatabaseSchema, to: DatabaseSchema): SchemaChange[] {
  return objectKinds.flatMap((kind) => {
    const changes: SchemaChange[] = [];
    compareNamed(from[kind] as JsonObject, to[kind] as JsonObject, [], (change, path, old, now) => {
      const [name = "", ...rest] = path;
      changes.push({ kind: change, object: { kind, name }, path: rest, from: old, to: now });
    });
    return changes;
  });
}

type Report = (kind: SchemaChange["kind"], path: readonly string[], from: Json, to: Json) => void;

function compareNamed(from: JsonObject, to: JsonObject, path: readonly string[], report: Report): void {
  for (const name of keysOf(from, to)) {
    const [old, now] = [from[name], to[name]];
    const here = [...path, name];
    if (old === now) continue;
    if (old === undefined) report("added", here, null, now ?? null);
    else if (now === undefined) report("removed", here, old, null);
    else if (isObject(old) && isObject(now)) compareProperties(old, now, here, report);
    else if (!isDeepStrictEqual(old, now)) report("changed", here, old, now);
  }
}

function compareProperties(from: JsonObject, to: JsonObject, path: readonly string[], report: Report): void {
  for (const key of keysOf(from, to)) {
    const [old, now] = [from[key], to[key]];
    const here = [...path, key];
    if (partKinds.has(key) && isObject(old ?? now)) compareNamed(partsOf(old), partsOf(now), here, report);
    else if (!isDeepStrictEqual(old, now)) report("changed", here, old ?? null, now ?? null);
  }
}

function partsOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function keysOf(from: JsonObject, to: JsonObject): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
}

/** Whether a value is an object with keys. */
export function isObject(value: Json | undefined): value is JsonObject {
  return isRecord(value);
}

/** Returns a schema after changes: the reverse of {@link compareSchemas}. What doesn't change is shared with the schema. */
export function applyChanges(schema: DatabaseSchema, changes: readonly SchemaChange[]): DatabaseSchema {
  const copies = new WeakSet<JsonObject>(); // each object is copied once, whatever the number of changes
  const copy = (value: JsonObject) => {
    if (copies.has(value)) return value;
    const copied = { ...value };
    copies.add(copied);
    return copied;
  };
  const result = { ...schema } as unknown as { [kind in ObjectKind]: JsonObject };
  for (const { object, path, to } of changes) {
    result[object.kind] = copy(result[object.kind]);
    setValueAt(result[object.kind], [object.name, ...path], to, copy);
  }
  return result as unknown as DatabaseSchema;
}

/** Returns the changes that undo changes. */
export function reverseChanges(changes: readonly SchemaChange[]): SchemaChange[] {
  const reversed = { added: "removed", removed: "added", changed: "changed" } as const;
  return changes.map((change) => ({ ...change, kind: reversed[change.kind], from: change.to, to: change.from }));
}

/**
 * Sets a value at a path; removes it and a list of parts that becomes empty, if the value is `null`.
 *
 * @param copy - Returns an object that may be changed.
 */
function setValueAt(
  parent: JsonObject,
  [key = "", ...rest]: readonly string[],
  value: Json,
  copy: (value: JsonObject) => JsonObject,
): void {
  let child = value;
  if (rest.length > 0) {
    child = copy(partsOf(Object.hasOwn(parent, key) ? parent[key] : undefined));
    setValueAt(child, rest, value, copy);
  }
  const isGone = child === null || (isObject(child) && partKinds.has(key) && Object.keys(child).length === 0);
  if (isGone) Reflect.deleteProperty(parent, key);
  else Object.defineProperty(parent, key, { value: child, configurable: true, enumerable: true, writable: true });
}

const singular: Readonly<Record<string, string>> = {
  extensions: "extension",
  schemas: "schema",
  enums: "enum",
  domains: "domain",
  composites: "composite type",
  ranges: "range type",
  sequences: "sequence",
  tables: "table",
  views: "view",
  functions: "function",
  eventTriggers: "event trigger",
  columns: "column",
  constraints: "constraint",
  indexes: "index",
  triggers: "trigger",
  policies: "policy",
  rules: "rule",
  statistics: "statistics",
  grants: "grant to",
};

/** Describes a change in one line, such as `~ column public.users.name: type character varying(40) -> text`. */
export function describeChange({ kind, object, path, from, to }: SchemaChange): string {
  const [part, name] = partKinds.has(path[0] ?? "") ? path : [];
  const sign = { added: "+", removed: "-", changed: "~" }[kind];
  const subject =
    part === undefined
      ? `${singular[object.kind]} ${object.name}`
      : part === "grants"
        ? `grant on ${object.name} to ${name}`
        : `${singular[part]} ${object.name}.${name}`;
  const property = path.slice(part === undefined ? 0 : 2).join(" ");
  if (kind === "changed") return `${sign} ${subject}: ${property}${property && " "}${text(from)} -> ${text(to)}`;
  if (property !== "") return `${sign} ${subject}: ${property}`;
  const value = to ?? from;
  const detail = part !== undefined && isObject(value) ? (value.type ?? value.definition) : undefined;
  return `${sign} ${subject}${typeof detail === "string" ? `: ${detail}` : ""}`;
}

function text(value: Json): string {
  return value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}
