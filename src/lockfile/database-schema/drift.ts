import type { Parse } from "../sql-parser.ts";
import type { VersionTable } from "../version-table.ts";
import { applyChanges, compareSchemas, type Json, type SchemaChange } from "./changes.ts";
import { type DatabaseSchema, withoutVersionTable } from "./database-schema.ts";
import { sameExpression } from "./same-expression.ts";
import { partsOfKey } from "./sql-names.ts";

/** Rules for what doesn't count as drift. */
export interface DriftRules {
  readonly versionTable: VersionTable;
  /** Role that the runner grants row access; `undefined` if one role migrates and serves. */
  readonly applicationRole?: string | undefined;
  /** Objects to ignore: see `isIgnored`. */
  readonly ignore: readonly string[];
  /** Major versions of PostgreSQL. They write some definitions in other words. */
  readonly versions: { readonly expected: string; readonly live: string };
  readonly parse: Parse;
}

/** Differences of a live schema from the expected one, as changes that lead from the expected to the live one. */
export interface Drift {
  readonly missing: readonly SchemaChange[];
  readonly extra: readonly SchemaChange[];
  readonly different: readonly SchemaChange[];
  /** Differences that the rules ignore. */
  readonly ignored: readonly SchemaChange[];
  readonly expected: DatabaseSchema;
  /** The expected schema with the differences that count: the live one without what is ignored. */
  readonly live: DatabaseSchema;
}

/** Compares the live schema with the expected one. */
export function driftOf(live: DatabaseSchema, expected: DatabaseSchema, rules: DriftRules): Drift {
  const before = withoutVersionTable(expected, rules.versionTable);
  const after = withoutVersionTable(live, rules.versionTable);
  const found = compareSchemas(before, after);
  const isExpected = (change: SchemaChange) => reasons.some((reason) => reason({ change, live, expected, rules }));
  const ignored = found.filter(isExpected);
  const counted = found
    .filter((change) => !isExpected(change))
    .map((change) => withoutOwnGrants(change, rules.applicationRole));
  const ofKind = (kind: SchemaChange["kind"]) => counted.filter((change) => change.kind === kind);
  return {
    ...{ missing: ofKind("removed"), extra: ofKind("added"), different: ofKind("changed"), ignored },
    ...{ expected: before, live: applyChanges(before, counted) },
  };
}

/** A difference, and what decides whether it counts. */
interface Case {
  readonly change: SchemaChange;
  readonly live: DatabaseSchema;
  readonly expected: DatabaseSchema;
  readonly rules: DriftRules;
}

/** Reasons for which a difference doesn't count. */
const reasons: readonly ((one: Case) => boolean)[] = [
  ({ change, rules }) => isIgnored(change, rules.ignore),
  // The server decides it, and whether a materialized view has rows is not part of the schema.
  ({ change: { object, path } }) => object.kind === "extensions" && path[0] === "version",
  ({ change: { path } }) => path[0] === "unpopulated",
  ofColumnOrder,
  ofVersions,
  ofRunner,
  ofPartitionManager,
  ofTimescale,
];

/**
 * Whether one of the patterns is the name of an object, of a part of it, or of its property, as in `public.users`,
 * `public.users.ix_name`, `public.users.options`, or `public.users.name.default`; of a function without its arguments; or `role:` and
 * the role of a privilege. `*` stands for any characters.
 */
function isIgnored({ object, path, from, to }: SchemaChange, ignore: readonly string[]): boolean {
  const [part = "", ...rest] = path;
  const inner = partLists.has(part) ? rest : path;
  const names = inner.map((_, index) => [object.name, ...inner.slice(0, index + 1)].join("."));
  const role = path.includes("grants") ? [`role:${path[path.indexOf("grants") + 1]}`] : [];
  const owner = object.kind === "sequences" && path.length === 0 ? ownerOf(from ?? to) : [];
  const all = [object.name, object.name.replace(/\(.*$/s, ""), ...names, ...role, ...owner];
  return ignore.some((pattern) => all.some((name) => matches(name, pattern)));
}

const partLists = new Set(["columns", "constraints", "indexes", "triggers", "policies", "rules", "statistics"]);

/** Returns the table to which a sequence belongs. */
function ownerOf(sequence: Json): string[] {
  const table = (sequence as { ownedBy?: { table?: string } } | null)?.ownedBy?.table;
  return table === undefined ? [] : [table];
}

function matches(name: string, pattern: string): boolean {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${pattern.split("*").map(literal).join(".*")}$`, "s").test(name);
}

/** PostgreSQL lists the columns of extended statistics in the order in which the table got them. */
function ofColumnOrder({ change: { path, from, to } }: Case): boolean {
  if (path[0] !== "statistics" || path.at(-1) !== "definition") return false;
  const sorted = (definition: Json) => {
    const [, start, columns = "", end] = /^(.*? ON )(.*)( FROM .*)$/s.exec(String(definition)) ?? [];
    return [start, ...columns.split(", ").sort(), end].join();
  };
  return sorted(from) === sorted(to);
}

/** Expressions that PostgreSQL prints from their parse tree. */
const expressions = new Set(["definition", "default", "generated", "using", "check"]);

/** A major version may print the same definition in other words, and knows other privileges of tables. */
function ofVersions({ change: { object, path, from, to }, rules: { versions, parse } }: Case): boolean {
  if (versions.expected === versions.live) return false;
  if (path.includes("grants")) {
    const known = (privileges: Json) => list(privileges).filter((privilege) => !privilege.startsWith("MAINTAIN"));
    return known(from).join() === known(to).join();
  }
  if (!expressions.has(path.at(-1) ?? "") || object.kind === "functions") return false;
  return sameExpression(String(from), String(to), parse);
}

function list(value: Json): readonly string[] {
  return Array.isArray(value) ? value : [];
}

/** Privileges that the runner grants its application role, and those that it revokes (`runner_grants.py`). */
const granted = new Set(["SELECT", "INSERT", "UPDATE", "DELETE", "USAGE"]);
const revoked = new Set(["TRUNCATE", "REFERENCES", "TRIGGER", "CREATE"]);

function ofRunner({ change: { object, path, from, to }, rules: { applicationRole } }: Case): boolean {
  if (applicationRole === undefined || path[0] !== "grants") return false;
  const [, role] = path;
  const [before, after] = [list(from), list(to)];
  const added = after.filter((privilege) => !before.includes(privilege));
  const gone = before.filter((privilege) => !after.includes(privilege));
  if (role === applicationRole)
    return added.every((each) => granted.has(each)) && gone.every((each) => revoked.has(each));
  // Only owners may create objects in the schema.
  const isRevoked = to !== null && !after.includes("CREATE");
  return object.kind === "schemas" && role === "PUBLIC" && isRevoked && added.every((each) => each === "USAGE");
}

/** Removes the runner's grants from an object that is added. */
function withoutOwnGrants(change: SchemaChange, role: string | undefined): SchemaChange {
  const { kind, path, to } = change;
  const { grants } = (to ?? {}) as { grants?: { [role: string]: Json } };
  if (kind !== "added" || path.length > 0 || role === undefined || grants?.[role] === undefined) return change;
  const { [role]: own, ...others } = grants;
  const rest = list(own ?? null).filter((privilege) => !granted.has(privilege));
  const left = rest.length > 0 ? { ...others, [role]: rest } : others;
  const { grants: _, ...bare } = to as { [key: string]: Json };
  return { ...change, to: Object.keys(left).length > 0 ? { ...bare, grants: left } : bare };
}

/** pg_partman makes and drops partitions, with what its template table has, and those tables. */
function ofPartitionManager({ change: { object }, live, expected }: Case): boolean {
  const manager = live.extensions.pg_partman;
  if (manager === undefined || object.kind !== "tables") return false;
  const table = live.tables[object.name] ?? expected.tables[object.name];
  const [space, name] = partsOfKey(object.name);
  return table?.partition !== undefined || (space === manager.schema && name.startsWith("template_"));
}

/** TimescaleDB makes chunks and catalogs in schemas of its own, and a trigger on each hypertable. */
function ofTimescale({ change: { object, path }, live }: Case): boolean {
  if (live.extensions.timescaledb === undefined) return false;
  const space = object.kind === "schemas" ? object.name : partsOfKey(object.name)[0];
  return (
    /^_?timescaledb_/.test(space) || (path[0] === "triggers" && /^ts_(?:insert_blocker|cagg_)/.test(path[1] ?? ""))
  );
}
