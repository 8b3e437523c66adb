import { isDeepStrictEqual } from "node:util";
import type { Parse } from "../sql-parser.ts";
import { compareSchemas, type SchemaChange } from "./changes.ts";
import type { DatabaseSchema } from "./database-schema.ts";
import { objectParts } from "./object-parts.ts";
import { type Part, type PartKind, partId, partOrder, type Source } from "./part.ts";
import { relationParts } from "./relation-parts.ts";
import { namesIn, partsOfKey, sqlNames, wordsIn } from "./sql-names.ts";

/** Statements that lead from one schema to another. */
export interface SchemaStatements {
  readonly sql: readonly string[];
  /** Changes that they don't make, because PostgreSQL has no statement for them, such as removing a label of an enumeration. */
  readonly manual: readonly SchemaChange[];
}

/**
 * Returns the statements that lead from one schema to another. Names are qualified. What is dropped is lost with its rows, and
 * a new table has its columns in alphabetical order, as a schema has no other.
 */
export function schemaStatements(from: DatabaseSchema, to: DatabaseSchema, parse: Parse): SchemaStatements {
  const names = sqlNames(parse);
  const [old, now] = [partsOf({ schema: from, names }), partsOf({ schema: to, names })];
  const steps = stepsBetween(old, now);
  const drops = inOrder([...steps.dropped])
    .reverse()
    .filter((part) => !isWithin(part, old, steps.dropped) || isBlocking(part, steps.dropped));
  const creates = inOrder([...steps.created, ...steps.altered.keys()]).filter(
    (part) => !(part.included && isWithin(part, now, steps.created)),
  );
  const unable = [...creates.filter((part) => part.create === null && !steps.altered.has(part)), ...steps.manual];
  const isManual = ({ object, path }: SchemaChange) => {
    const id = `${partId([object.kind, object.name, ...path])}\0`;
    return unable.some((part) => id.startsWith(`${partId(part.path)}\0`));
  };
  return {
    sql: [
      ...drops.flatMap((part) => part.drop),
      ...creates.flatMap((part) => steps.altered.get(part) ?? part.create ?? []),
    ],
    manual: unable.length === 0 ? [] : compareSchemas(from, to).filter(isManual),
  };
}

type Parts = ReadonlyMap<string, Part>;

function partsOf(source: Source): Parts {
  const parts = [...objectParts(source), ...relationParts(source)];
  return new Map(parts.map((part) => [partId(part.path), part]));
}

/** Parts to drop, of the old schema; parts to create and to alter, of the new one. */
interface Steps {
  readonly dropped: Set<Part>;
  readonly created: Set<Part>;
  readonly altered: Map<Part, readonly string[]>;
  readonly manual: Part[];
}

function stepsBetween(old: Parts, now: Parts): Steps {
  const steps: Steps = { dropped: new Set(), created: new Set(), altered: new Map(), manual: [] };
  for (const [id, part] of old) if (!now.has(id)) steps.dropped.add(part);
  for (const [id, part] of now) {
    const before = old.get(id);
    if (before === undefined) steps.created.add(part);
    else if (!isSame(before, part)) addChange(before, part, steps);
  }
  addDependents(old, now, steps);
  keepOfPartitions(steps, old, now);
  return steps;
}

function isSame(old: Part, now: Part): boolean {
  return isDeepStrictEqual(old.value ?? old.create, now.value ?? now.create);
}

function addChange(old: Part, now: Part, { dropped, created, altered, manual }: Steps): void {
  const statements = now.alter?.(old);
  if (statements === null) manual.push(now);
  else if (statements !== undefined) altered.set(now, statements);
  else {
    dropped.add(old);
    created.add(now);
  }
}

/** Kinds of parts that keep PostgreSQL from changing or dropping a part, so that they are dropped before, and created again. */
const dependents: Readonly<Partial<Record<PartKind, readonly PartKind[]>>> = {
  type: ["view", "rule", "policy", "trigger", "column", "default"],
  column: ["view", "rule", "policy", "trigger", "column", "index", "constraint", "foreign key", "statistics"],
  view: ["view", "rule"],
  function: ["view", "rule", "policy", "trigger", "column", "default", "index", "constraint", "event trigger"],
  constraint: ["foreign key"],
  index: ["foreign key"],
  grant: ["column grant"],
};

/** Adds the parts that have to be created again, because what they belong to or depend on is. */
function addDependents(old: Parts, now: Parts, { dropped, created, altered }: Steps): void {
  const kept = new Set([...now].filter(([id, part]) => old.has(id) && !created.has(part)).map(([id]) => id));
  for (let before = -1; before !== created.size; ) {
    before = created.size;
    const again = [...created].filter((part) => old.has(partId(part.path)));
    const changed = [...altered.keys(), ...[...dropped].filter(({ kind }) => kind === "grant")];
    const causes = [...again, ...changed.filter(({ kind }) => kind === "type" || kind === "grant")];
    for (const id of kept) {
      const [was, is] = [old.get(id), now.get(id)];
      const parent = old.get(was?.parent ?? "");
      if (was === undefined || is === undefined) continue;
      if (!(parent && dropped.has(parent)) && !causes.some((cause) => dependsOn(was, cause))) continue;
      kept.delete(id);
      altered.delete(is);
      dropped.add(was);
      created.add(is);
    }
  }
}

/** Whether a part depends on another one that is changed in place, or dropped and created again. */
function dependsOn(part: Part, cause: Part): boolean {
  if (!dependents[cause.kind]?.includes(part.kind) || part === cause) return false;
  const { names, words } = textOf(part);
  const column = cause.path[3] ?? "";
  const isOfColumn = () =>
    (part.relation === cause.relation || names.has(cause.relation ?? "")) && words.has(column) && part.value !== "";
  switch (cause.kind) {
    case "type":
      return part.kind === "default" ? part.parent === cause.parent : isOfColumn();
    case "column":
      return isOfColumn();
    case "grant":
      return part.path[1] === cause.path[1] && part.path.at(-1) === cause.path.at(-1);
    case "constraint":
    case "index":
      return (
        String(part.value).includes(`REFERENCES ${cause.relation}(`) && /PRIMARY KEY|UNIQUE/.test(`${cause.create}`)
      );
    default:
      return names.has(cause.token ?? "");
  }
}

/**
 * A table that becomes a partition needs the checks of its table, which are its own until then. One that ends being one keeps
 * what it got from its table.
 */
function keepOfPartitions({ dropped, created }: Steps, old: Parts, now: Parts): void {
  const keep = (changed: Set<Part>, other: Set<Part>, parts: Parts, kinds: readonly PartKind[]) => {
    for (const { kind, path } of changed) {
      if (kind !== "inheritance") continue;
      const [parents = []] = (parts.get(partId(path))?.value ?? []) as readonly (readonly string[])[];
      for (const part of other) {
        if (part.path[1] !== path[1] || !kinds.includes(part.kind)) continue;
        const isOfParent = [...parts.values()].some(
          (each) =>
            each.kind === part.kind && parents.includes(each.path[1] ?? "") && clauseOf(each) === clauseOf(part),
        );
        if (isOfParent) other.delete(part);
      }
    }
  };
  keep(created, dropped, now, ["constraint"]);
  keep(dropped, created, old, ["constraint", "foreign key", "index"]);
}

/** Returns the definition of a constraint or an index without its name and table. */
function clauseOf({ create }: Part): string {
  return (create?.[0] ?? "").replace(/^ALTER TABLE .*? ADD CONSTRAINT (?:"(?:[^"]|"")+"|\S+) |^CREATE .*? USING /s, "");
}

/** Whether a part goes with its parent: when that is dropped, or when its statements create the part, too. */
function isWithin(part: Part, parts: Parts, changed: ReadonlySet<Part>): boolean {
  const parent = parts.get(part.parent ?? "");
  return parent !== undefined && (changed.has(parent) || isWithin(parent, parts, changed));
}

/** Whether a part is a foreign key without which another table can't be dropped. */
function isBlocking({ kind, relation, value }: Part, dropped: ReadonlySet<Part>): boolean {
  if (kind !== "foreign key") return false;
  return [...dropped].some(({ token }) => token !== relation && `${value}`.includes(`REFERENCES ${token}(`));
}

/** Sorts parts by their kind, and each after those that its definition names. */
function inOrder(parts: readonly Part[]): Part[] {
  const byToken = new Map(parts.flatMap((part) => (part.token === undefined ? [] : [[part.token, part]])));
  const relations = parts.flatMap(({ kind, token = "" }) => (kind === "table" || kind === "view" ? [token] : []));
  const relationNames = new Set(relations.map((token) => partsOfKey(token)[1]));
  // The body of a function may name what doesn't exist before.
  const isLate = (part: Part) =>
    part.kind === "function" && [...textOf(part).words].some((word) => relationNames.has(word));
  const positions = new Map(partOrder.map((kind, index) => [kind, index]));
  const position = (part: Part) => positions.get(isLate(part) ? "view" : part.kind) ?? 0;
  const sorted = new Set<Part>();
  const visited = new Set<Part>();
  const visit = (part: Part) => {
    if (visited.has(part)) return;
    visited.add(part);
    for (const name of textOf(part).names) {
      const other = byToken.get(name);
      if (other !== undefined) visit(other);
    }
    sorted.add(part);
  };
  const keyed = parts.map((part) => [position(part), part] as const);
  for (const [, part] of keyed.sort(([a], [b]) => a - b)) visit(part);
  return [...sorted];
}

/** The qualified names and the words in the statements that create a part. */
interface Text {
  readonly names: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}

const textsOfParts = new WeakMap<Part, Text>();

function textOf(part: Part): Text {
  const known = textsOfParts.get(part);
  if (known !== undefined) return known;
  const sql = part.create?.join("\n") ?? "";
  const text = { names: namesIn(sql), words: wordsIn(sql) };
  textsOfParts.set(part, text);
  return text;
}
