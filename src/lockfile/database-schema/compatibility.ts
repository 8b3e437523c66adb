import { rollbackBlocker } from "../rollback-blocker.ts";
import { typeOf } from "../schema/constraints.ts";
import { findAll, type Parse } from "../sql-parser.ts";
import { compareSchemas, type Json, type ObjectKind, partKinds, type SchemaChange } from "./changes.ts";
import {
  type Conflict,
  defaulted,
  dropped,
  enforced,
  hidden,
  joined,
  loosened,
  rejecting,
  replaced,
  required,
  revoked,
  typed,
} from "./conflicts.ts";
import type { Column, DatabaseSchema, SchemaConstraint, SchemaIndex } from "./database-schema.ts";

/** A change of a schema with which earlier code may fail. */
export interface Incompatibility extends Conflict {
  readonly change: SchemaChange;
}

/** Two schemas and a change that leads from one to the other. */
interface Case {
  readonly change: SchemaChange;
  readonly from: DatabaseSchema;
  readonly to: DatabaseSchema;
  readonly parse: Parse;
}

/** Definitions of keys that treat NULL as a value. */
const strict = /NULLS NOT DISTINCT|MATCH FULL/;

/** Properties of tables and views that don't change what code reads or writes. */
const harmlessProperties: ReadonlySet<string | undefined> = new Set(["unlogged", "statistics"]);

/** Properties of sequences that change no number that code draws. */
const harmlessForSequences: ReadonlySet<string | undefined> = new Set(["cache", "ownedBy", "start", "unlogged"]);

/**
 * Returns why code that works on one schema may fail on another. Empty if it keeps working.
 *
 * The code may use each object of its schema, insert rows with and without values for each column that has a default, use
 * prepared statements, and expect of rows what its schema promises, even of those that later code writes. What can't be
 * known counts as incompatible. Names are compared with those of the schema itself: the search path must be the same.
 */
export function incompatibilities(from: DatabaseSchema, to: DatabaseSchema, parse: Parse): Incompatibility[] {
  return compareSchemas(from, to).flatMap((change) => {
    const conflict = evaluate({ change, from, to, parse });
    return conflict === null ? [] : [{ change, ...conflict }];
  });
}

type Evaluator = (one: Case) => Conflict | null;

const evaluators: { readonly [kind in ObjectKind]: Evaluator } = {
  extensions: ifAdded(null, replaced),
  schemas: ifAdded(null, replaced),
  enums: (one) => (one.change.path[0] === "labels" ? ofLabels(one.change) : ifAdded(null, replaced)(one)),
  domains: ofDomain,
  composites: ifAdded(null, typed),
  ranges: ifAdded(null, typed),
  sequences: (one) => (harmlessForSequences.has(one.change.path[0]) ? null : ifAdded(null, replaced)(one)),
  tables: ofRelation,
  views: ofRelation,
  functions: (one) => ifAdded(isOverload(one) ? hidden : null, replaced)(one),
  // They run for DDL, except at a login.
  eventTriggers: ({ change, to }) => (to.eventTriggers[change.object.name]?.event === "login" ? enforced : null),
};

function evaluate(one: Case): Conflict | null {
  const { kind, path, object } = one.change;
  const property = propertyOf(path);
  if (property === "comment") return null;
  if (property === "grants") return kind === "added" || isMore(one.change) ? null : revoked;
  if (path.length === 0 && kind === "removed") {
    if (object.kind === "sequences" && isGoneWithColumn(one)) return null;
    return object.kind === "eventTriggers" ? null : dropped;
  }
  return evaluators[object.kind](one);
}

/** Returns the property at a path of an object, or of a part of it, which may have any name; `undefined` for the whole. */
function propertyOf([first, , property]: readonly string[]): string | undefined {
  return first !== "grants" && partKinds.has(first ?? "") ? property : first;
}

/** Whether a sequence was dropped with its column, which is a change of its own. */
function isGoneWithColumn({ change: { object }, from, to }: Case): boolean {
  const owner = from.sequences[object.name]?.ownedBy;
  return owner !== undefined && to.tables[owner.table]?.columns?.[owner.column] === undefined;
}

/** Returns an evaluator for what has no further rules: an added object, or any other change. */
function ifAdded(added: Conflict | null, changed: Conflict): Evaluator {
  return ({ change: { kind, path } }) => (kind === "added" && path.length === 0 ? added : changed);
}

/** Whether all privileges of earlier are left. */
function isMore({ from, to }: SchemaChange): boolean {
  const list = (value: Json) => (Array.isArray(value) ? (value as readonly Json[]) : Object.values(value ?? {}).flat());
  return list(from).every((privilege) => list(to).includes(privilege));
}

function ofLabels({ from, to }: SchemaChange): Conflict {
  return isSubsequence(from as readonly string[], to as readonly string[]) ? loosened : dropped;
}

function ofDomain(one: Case): Conflict | null {
  const { path, from, to } = one.change;
  switch (path[0]) {
    case "constraints":
      return ofConstraint(one);
    case "default":
      return from === null ? null : defaulted;
    case "notNull":
      return to === null ? loosened : required;
    default:
      return ifAdded(null, typed)(one);
  }
}

/** Whether a function has the name of one that earlier code may call. */
function isOverload({ change: { object }, from }: Case): boolean {
  const plain = (name: string) => name.slice(0, name.indexOf("("));
  return Object.keys(from.functions).some((name) => plain(name) === plain(object.name));
}

/** Whether the items of one list are all in another one, in the same order. */
function isSubsequence(items: readonly string[], list: readonly string[]): boolean {
  let start = 0;
  return items.every((item) => {
    start = list.indexOf(item, start) + 1;
    return start > 0;
  });
}

function ofRelation(one: Case): Conflict | null {
  const { change, from, to } = one;
  const [part, name = ""] = change.path;
  switch (part) {
    case undefined:
      return ofNewRelation(one);
    case "columns":
      return ofColumn(one, name);
    case "constraints":
      return ofConstraint(one);
    case "indexes":
      return ofIndex(one, name);
    case "rowSecurity":
      return change.to === null ? null : enforced;
    case "replicaIdentity":
      return change.to === "nothing" ? rejecting : null;
    case "options":
      return (from.views[change.object.name] ?? to.views[change.object.name]) ? enforced : null;
    case "unpopulated":
      return change.to === null ? null : dropped;
    case "triggers":
    case "policies":
    case "rules":
      return enforced;
    default:
      return harmlessProperties.has(part) ? null : replaced;
  }
}

/** A new table or view is unknown to earlier code, unless its name hides another one, or its rows become part of a known one. */
function ofNewRelation({ change: { object }, from, to }: Case): Conflict | null {
  const names = [...Object.keys(from.tables), ...Object.keys(from.views)];
  if (names.some((name) => plainName(name) === plainName(object.name))) return hidden;
  const parents = to.tables[object.name]?.inherits ?? [];
  return parents.some((parent) => from.tables[parent] !== undefined) ? joined : null;
}

/** Returns a name without its schema. */
function plainName(name: string): string {
  return /(?:^|\.)("(?:[^"]|"")*"|[^."]*)$/.exec(name)?.[1] ?? name;
}

function columnsOf(schema: DatabaseSchema, name: string): Readonly<Record<string, Column>> {
  return (schema.tables[name] ?? schema.views[name])?.columns ?? {};
}

function ofColumn(one: Case, name: string): Conflict | null {
  const { change, to } = one;
  const column = columnsOf(to, change.object.name)[name];
  if (change.path.length === 2) return column === undefined ? dropped : ofNewColumn(column, one);
  switch (change.path[2]) {
    case "type":
      return typed;
    case "notNull":
      return change.to === null ? loosened : required;
    case "default":
      // A default that is replaced by an identity stays one.
      return change.from === null || (change.to === null && column?.identity !== undefined) ? null : defaulted;
    case "identity":
      if (change.to === "ALWAYS") return rejecting;
      return change.to === null && column?.default === undefined ? defaulted : null;
    case "collation":
    case "generated":
      return replaced;
    default:
      return null;
  }
}

/** Earlier code inserts rows without the column. */
function ofNewColumn(column: Column, { to, parse }: Case): Conflict | null {
  const { type, notNull, default: value, identity, generated } = column;
  if (generated !== undefined) return rejecting;
  if (value !== undefined || identity !== undefined) return null;
  const domain = to.domains[type];
  const checks = Object.values(domain?.constraints ?? {});
  const isRequired = notNull || domain?.notNull || checks.some(({ definition }) => !acceptsNull(definition, parse));
  return isRequired && domain?.default === undefined ? required : null;
}

/** Whether one of the columns is new, and rows of earlier code have NULL in it. Keys and unique indexes accept such rows. */
function hasEmpty({ change: { object }, from, to }: Case, columns: readonly (string | null)[]): boolean {
  const [old, now] = [columnsOf(from, object.name), columnsOf(to, object.name)];
  return columns.some((name) => {
    const column = name === null || name in old ? undefined : now[name];
    const { default: value, identity, generated } = column ?? {};
    return column !== undefined && value === undefined && identity === undefined && generated === undefined;
  });
}

/** Whether a check accepts NULL: if it consists of operators, columns, and constants alone. */
function acceptsNull(definition: string, parse: Parse): boolean {
  const expression = parse(definition.replace(/^CHECK \((.*)\)(?: NOT VALID)?$/s, "SELECT $1"));
  if ("error" in expression) return false;
  const kinds = ["FuncCall", "NullTest", "BooleanTest", "CoalesceExpr", "CaseExpr", "SubLink", "RowExpr"] as const;
  const isDistinct = findAll(expression, "A_Expr").some(({ kind }) => kind !== "AEXPR_OP" && kind !== "AEXPR_OP_ANY");
  return !isDistinct && kinds.every((kind) => findAll(expression, kind).length === 0);
}

function ofConstraint(one: Case): Conflict | null {
  const { kind, path, from, to } = one.change;
  if (path.length > 2) {
    // A constraint that is not valid applies to new rows already.
    if (path[2] === "notValid") return to === null ? null : loosened;
    return rejecting;
  }
  const { type, columns = [], definition } = (to ?? from) as unknown as SchemaConstraint;
  if (kind === "added") {
    if (type === "check") {
      const areNew = columns.length > 0 && columns.every((column) => hasEmpty(one, [column]));
      return areNew && acceptsNull(definition, one.parse) ? null : rejecting;
    }
    const isKey = type === "foreign key" || type === "unique";
    return isKey && !strict.test(definition) && hasEmpty(one, columns) ? null : rejecting;
  }
  if (type === "check" || type === "not null") return loosened;
  if (type === "foreign key") return /ON (?:DELETE|UPDATE) (?:CASCADE|SET)/.test(definition) ? enforced : loosened;
  return replaced;
}

function ofIndex(one: Case, name: string): Conflict | null {
  const { change, from, to } = one;
  const relation = change.object.name;
  const old = (from.tables[relation] ?? from.views[relation])?.indexes?.[name];
  const now = (to.tables[relation] ?? to.views[relation])?.indexes?.[name];
  if (old?.unique && !old.invalid && (now === undefined || now.definition !== old.definition)) return replaced;
  if (now === undefined || (old?.definition === now.definition && old.invalid === now.invalid)) return null;
  if (now.unique) return !strict.test(now.definition) && hasEmpty(one, now.columns) ? null : rejecting;
  return mayRejectRows(now, one) ? rejecting : null;
}

/** Whether an index on existing columns may reject a row: for a long value, or by an expression. */
function mayRejectRows({ definition }: SchemaIndex, { change: { object }, from, to, parse }: Case): boolean {
  const [old, now] = [columnsOf(from, object.name), columnsOf(to, object.name)];
  const parsed = parse(definition.replaceAll(/\((\w+)\)::text\b/g, "$1")); // without the casts that PostgreSQL adds
  if ("error" in parsed) return true;
  const added = Object.keys(now).filter((name) => old[name] === undefined);
  const before = {
    created: new Set<string>(),
    added: new Set(added.map((name) => `${object.name}.${name}`)),
    typeOf: (_table: string, name: string) => catalogName(now[name]?.type, to, parse),
  };
  return parsed.some((node) => rollbackBlocker(node, before) !== null);
}

/** Returns the name of a type in `pg_type`, such as `varchar(40)` for `character varying(40)`; `enum` for an enumeration. */
function catalogName(type: string | undefined, { enums }: DatabaseSchema, parse: Parse): string | undefined {
  if (type === undefined) return undefined;
  if (enums[type] !== undefined) return "enum";
  const parsed = parse(`SELECT NULL::${type}`);
  const [cast] = "error" in parsed ? [] : findAll(parsed, "TypeCast");
  return cast?.typeName === undefined ? undefined : typeOf(cast.typeName);
}
