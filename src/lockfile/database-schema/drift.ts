import type { Parse } from "../sql-parser.ts";
import type { VersionTable } from "../version-table.ts";
import { applyChanges, compareSchemas, type Json, type ObjectKind, type SchemaChange } from "./changes.ts";
import { type DatabaseSchema, type Named, withoutVersionTable } from "./database-schema.ts";
import { sameExpression } from "./same-expression.ts";
import { partsOfKey } from "./sql-names.ts";

/** Rules for what doesn't count as drift. */
export interface DriftRules {
  readonly versionTable: VersionTable;
  /** Role that the runner grants row access; `undefined` if one role migrates and serves. */
  readonly applicationRole?: string | undefined;
  /** Objects to ignore: see `isIgnored`. */
  readonly ignore: readonly string[];
  /**
   * Parser, to compare definitions that the server's major version may write in other words than the rehearsal's.
   *
   * @defaultValue both have the same version
   */
  readonly parse?: Parse | undefined;
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
  const earlierRoles = rolesOfRunner(live, rules);
  const isExpected = (change: SchemaChange) =>
    reasons.some((reason) => reason({ change, live, expected, rules, earlierRoles }));
  const ignored = found.filter(isExpected);
  const counted = found
    .filter((change) => !isExpected(change))
    .map((change) => withoutOwnGrants(change, rules.applicationRole, earlierRoles));
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
  /** Roles that had the place of the application role. */
  readonly earlierRoles: ReadonlySet<string>;
}

/** Reasons for which a difference doesn't count. */
const reasons: readonly ((one: Case) => boolean)[] = [
  ({ change, rules }) => isIgnored(change, rules.ignore),
  // Alembic needs it before the first revision.
  ({ change: { object, path }, rules: { versionTable } }) =>
    object.kind === "schemas" && object.name === versionTable.schema && path.length === 0,
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
  const grantee = grantsIn(path);
  const role = grantee === undefined ? [] : [`role:${grantee}`];
  const owner = object.kind === "sequences" && path.length === 0 ? ownerOf(from ?? to) : [];
  const all = [object.name, object.name.replace(/\(.*$/s, ""), ...names, ...role, ...owner];
  return ignore.some((pattern) => all.some((name) => matches(name, pattern)));
}

/** Returns the role of the privileges at a path in an object, or in a part of it, which may have any name. */
function grantsIn([first, second, third, fourth]: readonly string[]): string | undefined {
  if (first === "grants") return second;
  return third === "grants" ? fourth : undefined;
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
function ofVersions({ change: { object, path, from, to }, rules: { parse } }: Case): boolean {
  if (parse === undefined) return false;
  if (grantsIn(path) !== undefined) {
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

/** All privileges that it grants on an object, sorted. */
const grantedOn: Partial<Record<ObjectKind, string>> = {
  schemas: "USAGE",
  sequences: "SELECT,USAGE",
  tables: "DELETE,INSERT,SELECT,UPDATE",
  views: "DELETE,INSERT,SELECT,UPDATE",
};

/** Returns the roles that the runner lets read the version table, and no more: its application role, and earlier ones. */
function rolesOfRunner(live: DatabaseSchema, { versionTable }: DriftRules): Set<string> {
  const { tables } = withoutVersionTable(live, versionTable);
  const own = Object.entries(live.tables).filter(([key]) => tables[key] === undefined);
  const readers = own.flatMap(([, { grants = {} }]) => Object.entries(grants));
  const isReader = ([role, privileges]: [string, readonly string[]]) =>
    role !== "PUBLIC" && privileges.join() === "SELECT";
  return new Set(readers.filter(isReader).map(([role]) => role));
}

function ofRunner({ change: { object, path, from, to }, rules: { applicationRole }, earlierRoles }: Case): boolean {
  const [first, role = ""] = path;
  if (first !== "grants") return false;
  const [before, after] = [list(from), list(to)];
  const added = after.filter((privilege) => !before.includes(privilege));
  const gone = before.filter((privilege) => !after.includes(privilege));
  if (role === applicationRole)
    return added.every((each) => granted.has(each)) && gone.every((each) => revoked.has(each));
  if (earlierRoles.has(role)) return before.length === 0 && isGrantedOn(object.kind, after);
  // Only owners may create objects in the schema.
  const isRevoked = to !== null && !after.includes("CREATE");
  const hasRunner = applicationRole !== undefined || earlierRoles.size > 0;
  return (
    hasRunner && object.kind === "schemas" && role === "PUBLIC" && isRevoked && added.every((each) => each === "USAGE")
  );
}

function isGrantedOn(kind: ObjectKind, privileges: readonly string[]): boolean {
  return privileges.toSorted().join() === grantedOn[kind];
}

/** Removes the runner's grants from an object that is added. */
function withoutOwnGrants(
  change: SchemaChange,
  applicationRole: string | undefined,
  earlierRoles: ReadonlySet<string>,
): SchemaChange {
  const { kind, object, path, to } = change;
  const { grants, ...bare } = (to ?? {}) as { grants?: Named<readonly string[]>; [key: string]: Json | undefined };
  if (kind !== "added" || path.length > 0 || grants === undefined) return change;
  const left = Object.entries(grants).flatMap(([role, privileges]) => {
    if (earlierRoles.has(role) && isGrantedOn(object.kind, privileges)) return [];
    const rest = role === applicationRole ? privileges.filter((privilege) => !granted.has(privilege)) : privileges;
    return rest.length > 0 ? [[role, rest] as const] : [];
  });
  const others = left.length > 0 ? { grants: Object.fromEntries(left) } : {};
  return { ...change, to: { ...bare, ...others } as Json };
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
