import { literal } from "../version-table.ts";
import type { DatabaseSchema, Domain, Named, Routine, Sequence } from "./database-schema.ts";
import {
  collate,
  constraintChange,
  firing,
  fixed,
  type Part,
  type PartKind,
  partId,
  type Remarks,
  remarks,
  replacing,
  type Source,
} from "./part.ts";
import type { SqlNames } from "./sql-names.ts";

type Objects<K extends keyof DatabaseSchema> = DatabaseSchema[K] extends Named<infer T> ? T : never;

/** Returns the parts of the objects other than tables and views. */
export function objectParts({ schema, names }: Source): Part[] {
  const each = <K extends keyof DatabaseSchema>(kind: K, parts: (name: string, value: Objects<K>) => Part[]) =>
    Object.entries(schema[kind] as Named<Objects<K>>).flatMap(([name, value]) => parts(name, value));
  return [
    ...each("schemas", (name, value) => {
      const [path, target] = [["schemas", name], `SCHEMA ${names.one(name)}`];
      const part: Part = { kind: "schema", path, create: [`CREATE ${target}`], drop: [`DROP ${target}`] };
      return [part, ...remarks(path, value, names, target)];
    }),
    ...each("extensions", (name, value) => [extension(name, value, names)]),
    ...each("enums", (name, value) => {
      const [path, definition] = [["enums", name], `ENUM (${value.labels.map(literal).join(", ")})`];
      const alter = (old: string[]) => labelStatements(`ALTER TYPE ${names.key(name)}`, old, value.labels);
      return [...type(path, "enum", definition, value, names), fixed(path, "labels", value.labels, alter)];
    }),
    ...each("composites", (name, value) => {
      const attributes = value.attributes.map((each) => `${names.one(each.name)} ${each.type}`);
      const [path, definition] = [["composites", name], `(${attributes.join(", ")})`];
      const alter = (old: string[]) => attributeStatements(`ALTER TYPE ${names.key(name)}`, old, attributes);
      return [...type(path, "composite", definition, value, names), fixed(path, "attributes", attributes, alter)];
    }),
    ...each("ranges", (name, value) => {
      const [path, definition] = [["ranges", name], `RANGE (SUBTYPE = ${value.subtype})`];
      return [...type(path, "range", definition, value, names), fixed(path, "subtype", value.subtype)];
    }),
    ...each("domains", (name, value) => domain(name, value, names)),
    ...each("sequences", (name, value) => sequence(name, value, names)),
    ...each("functions", (name, value) => routine(name, value, names)),
    ...each("eventTriggers", (name, { event, tags, enabled, ...value }) => {
      const [path, trigger] = [["eventTriggers", name], names.one(name)];
      const filter = tags === undefined ? "" : ` WHEN TAG IN (${tags.map(literal).join(", ")})`;
      const create = [`CREATE EVENT TRIGGER ${trigger} ON ${event}${filter} EXECUTE FUNCTION ${value.function}()`];
      const part: Part = { kind: "event trigger", path, create, drop: [`DROP EVENT TRIGGER ${trigger}`] };
      if (enabled === undefined) return [part];
      const set = (state: string) => `ALTER EVENT TRIGGER ${trigger} ${state}`;
      const own = { kind: "state", path: [...path, "enabled"], parent: partId(path) } as const;
      return [part, { ...own, ...replacing(set(firing[enabled]), set("ENABLE")) }];
    }),
  ];
}

function extension(name: string, { version, schema }: Objects<"extensions">, { one }: SqlNames): Part {
  const target = `EXTENSION ${one(name)}`;
  const [moved, updated] = [
    `ALTER ${target} SET SCHEMA ${one(schema)}`,
    `ALTER ${target} UPDATE TO ${literal(version)}`,
  ];
  return {
    ...{ kind: "extension", path: ["extensions", name], value: [version, schema] },
    create: [`CREATE ${target} WITH SCHEMA ${one(schema)} VERSION ${literal(version)}`],
    drop: [`DROP ${target}`],
    alter: ({ value }) => {
      const [oldVersion, oldSchema] = value as string[];
      return [...(schema === oldSchema ? [] : [moved]), ...(version === oldVersion ? [] : [updated])];
    },
  };
}

/** Returns the parts of a type. Columns have it, so it isn't dropped to be changed. */
function type(path: string[], kind: PartKind, definition: string, value: Remarks, names: SqlNames): Part[] {
  const token = names.key(path[1] ?? "");
  const target = `${kind === "domain" ? "DOMAIN" : "TYPE"} ${token}`;
  const create = [`CREATE ${target} AS ${definition}`];
  const part: Part = { kind, path, token, create, drop: [`DROP ${target}`], value: "" };
  return [part, ...remarks(path, value, names, target)];
}

function labelStatements(alter: string, old: readonly string[], now: readonly string[]): string[] | null {
  const added = now.filter((label) => !old.includes(label));
  const kept = now.filter((label) => old.includes(label));
  if (kept.join("\0") === old.join("\0")) {
    return now.flatMap((label, index) => {
      if (!added.includes(label)) return [];
      const [before, after] = [now[index - 1], now.slice(index).find((each) => old.includes(each))];
      const place = before !== undefined ? ` AFTER ${literal(before)}` : after ? ` BEFORE ${literal(after)}` : "";
      return [`${alter} ADD VALUE ${literal(label)}${place}`];
    });
  }
  const pairs = old.map((label, index) => [label, now[index] ?? label] as const).filter(([from, to]) => from !== to);
  const areRenamed = old.length === now.length && pairs.every(([from, to]) => !now.includes(from) && !old.includes(to));
  return areRenamed ? pairs.map(([from, to]) => `${alter} RENAME VALUE ${literal(from)} TO ${literal(to)}`) : null;
}

function attributeStatements(alter: string, old: readonly string[], now: readonly string[]): string[] | null {
  const nameOf = (attribute: string) => /^("(?:[^"]|"")+"|\S+)/.exec(attribute)?.[0] ?? attribute;
  const [before, after] = [old.map(nameOf), now.map(nameOf)];
  const kept = before.filter((name) => after.includes(name));
  if (kept.length < before.length && before.length === after.length) {
    const isRenamed = old.every((each, index) => {
      const [from = "", to = ""] = [before[index], after[index]];
      return from === to ? each === now[index] : !before.includes(to) && each.replace(from, to) === now[index];
    });
    const pairs = before.map((from, index) => [from, after[index]]).filter(([from, to]) => from !== to);
    if (isRenamed) return pairs.map(([from, to]) => `${alter} RENAME ATTRIBUTE ${from} TO ${to}`);
  }
  if (after.slice(0, kept.length).join() !== kept.join()) return null; // new ones are the last
  return [
    ...before.filter((name) => !after.includes(name)).map((name) => `${alter} DROP ATTRIBUTE ${name}`),
    ...now.flatMap((attribute, index) => {
      const name = after[index] ?? "";
      if (!before.includes(name)) return [`${alter} ADD ATTRIBUTE ${attribute}`];
      return old.includes(attribute) ? [] : [`${alter} ALTER ATTRIBUTE ${attribute.replace(name, `${name} TYPE`)}`];
    }),
  ];
}

function domain(name: string, value: Domain, names: SqlNames): Part[] {
  const path = ["domains", name];
  const alter = `ALTER DOMAIN ${names.key(name)}`;
  const property = { kind: "domain property", parent: partId(path) } as const;
  const constraints = Object.entries(value.constraints ?? {}).flatMap(([constraint, each]): Part[] => {
    const [own, quoted] = [[...path, "constraints", constraint], names.one(constraint)];
    const part: Part = {
      ...{ ...property, path: own, value: each.definition, drop: [`${alter} DROP CONSTRAINT ${quoted}`] },
      create: [`${alter} ADD CONSTRAINT ${quoted} ${each.definition}`],
      alter: (from) => constraintChange(from, each.definition, alter, quoted),
    };
    return [part, ...remarks(own, each, names, `CONSTRAINT ${quoted} ON DOMAIN ${names.key(name)}`)];
  });
  const [required, optional] = [`${alter} SET NOT NULL`, `${alter} DROP NOT NULL`];
  return [
    ...type(path, "domain", `${value.type}${collate(value)}`, value, names),
    ...[fixed(path, "type", value.type), fixed(path, "collation", value.collation)],
    ...(value.notNull ? [{ ...property, path: [...path, "notNull"], ...replacing(required, optional) }] : []),
    ...(value.default === undefined
      ? []
      : [
          {
            ...{ ...property, path: [...path, "default"] },
            ...replacing(`${alter} SET DEFAULT ${value.default}`, `${alter} DROP DEFAULT`),
          },
        ]),
    ...constraints,
  ];
}

function sequence(name: string, value: Sequence, names: SqlNames): Part[] {
  const path = ["sequences", name];
  const token = names.key(name);
  const target = `SEQUENCE ${token}`;
  const persistence = value.unlogged ? "UNLOGGED" : "LOGGED";
  const { table, column } = value.ownedBy ?? { table: "", column: "" };
  const parent = value.ownedBy && partId(["tables", table, "columns", column]);
  const options = sequenceOptions(value);
  const part: Part = {
    ...{ kind: "sequence", path, parent, token, value: [options, persistence], drop: [`DROP ${target}`] },
    create: [`CREATE ${value.unlogged ? "UNLOGGED " : ""}${target} ${options}`],
    alter: (from) => {
      const isKept = (from.value as string[])[1] === persistence;
      return [`ALTER ${target} ${options}`, ...(isKept ? [] : [`ALTER ${target} SET ${persistence}`])];
    },
  };
  const owner: Part = {
    ...{ kind: "sequence owner", path: [...path, "ownedBy"], parent: partId(path) },
    ...replacing(`ALTER ${target} OWNED BY ${names.key(table)}.${names.one(column)}`, `ALTER ${target} OWNED BY NONE`),
  };
  return [part, ...(value.ownedBy === undefined ? [] : [owner]), ...remarks(path, value, names, target)];
}

/** The limits of types, as the sizes of their lowest numbers. */
const limits: Readonly<Record<string, bigint>> = { smallint: 2n ** 15n, integer: 2n ** 31n, bigint: 2n ** 63n };

function sequenceOptions({ type, start, increment, minimum, maximum, cache, cycle }: Sequence): string {
  const limit = limits[type] ?? 0n;
  const up = increment > 0;
  const [lowest, highest] = up ? [1n, limit - 1n] : [-limit, -1n];
  return [
    `AS ${type} INCREMENT ${increment}`,
    BigInt(minimum) === lowest ? "NO MINVALUE" : `MINVALUE ${minimum}`,
    BigInt(maximum) === highest ? "NO MAXVALUE" : `MAXVALUE ${maximum}`,
    `START ${start} CACHE ${cache}`,
    cycle ? "CYCLE" : "NO CYCLE",
  ].join(" ");
}

const routines = { function: "FUNCTION", window: "FUNCTION", procedure: "PROCEDURE", aggregate: "AGGREGATE" } as const;

function routine(name: string, { kind, ...value }: Routine, names: SqlNames): Part[] {
  const path = ["functions", name];
  const key = names.key(name);
  const isAggregate = kind === "aggregate";
  const target = `${routines[kind]} ${isAggregate ? key.replace(/\(\)$/, "(*)") : key}`;
  const definition = isAggregate ? `CREATE ${target} (${value.definition})` : value.definition.trimEnd();
  // What can't be replaced: names and types of arguments, and the result.
  const head = definition.split(/\n LANGUAGE /)[0];
  const part: Part = {
    ...{ kind: "function", path, token: key.replace(/\(.*$/s, ""), value: [kind, head, definition] },
    ...{ create: [definition], drop: [`DROP ${target}`] },
    alter: (from) => {
      const [oldKind, oldHead] = from.value as string[];
      return isAggregate || kind !== oldKind || head !== oldHead ? undefined : [definition];
    },
  };
  return [part, ...remarks(path, value, names, target, `${isAggregate ? "FUNCTION" : routines[kind]} ${key}`)];
}
