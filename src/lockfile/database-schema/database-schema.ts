import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../shape.ts";
import { quoteName, type VersionTable } from "../version-table.ts";

/** Things by name. */
export type Named<T> = Readonly<Record<string, T>>;

/** Properties of each object. A property that is absent has PostgreSQL's default, such as `false`. */
interface Described {
  readonly comment?: string;
}

interface Granted extends Described {
  /**
   * Privileges by role, or by `PUBLIC`, where they differ from those that the kind of object starts with: none, if they were
   * revoked. Those of the owner are not included.
   */
  readonly grants?: Named<readonly string[]>;
}

/** A column of a table or a view. */
export interface Column extends Granted {
  /** As `format_type` prints it, such as `character varying(40)` or `public.mood`. */
  readonly type: string;
  readonly notNull?: true;
  /** The expression. */
  readonly default?: string;
  readonly identity?: "ALWAYS" | "BY DEFAULT";
  /** The expression, and `STORED` or `VIRTUAL`. */
  readonly generated?: string;
  /** If it is not that of the type. */
  readonly collation?: string;
}

/** A constraint of a table or a domain. One of kind `not null` is included only if it is not valid. */
export interface SchemaConstraint extends Described {
  readonly type: "check" | "foreign key" | "primary key" | "unique" | "exclusion" | "not null";
  /** As `pg_get_constraintdef` prints it. */
  readonly definition: string;
  readonly columns?: readonly string[];
  /** The table that a foreign key references. */
  readonly references?: string;
  readonly notValid?: true;
  readonly deferrable?: true;
}

/** An index that belongs to no constraint. */
export interface SchemaIndex extends Described {
  /** As `pg_get_indexdef` prints it. */
  readonly definition: string;
  /** `null` for an expression. */
  readonly columns: readonly (string | null)[];
  readonly unique?: true;
  readonly invalid?: true;
}

/** A rule, or extended statistics. */
export interface Defined extends Described {
  readonly definition: string;
}

/** A trigger. */
export interface Trigger extends Defined {
  readonly enabled?: "disabled" | "replica" | "always";
}

/** A policy of row security. */
export interface Policy extends Described {
  readonly command: "ALL" | "SELECT" | "INSERT" | "UPDATE" | "DELETE";
  readonly roles: readonly string[];
  readonly restrictive?: true;
  readonly using?: string;
  readonly check?: string;
}

/** Properties of tables and views. */
interface Relation extends Granted {
  readonly options?: readonly string[];
  readonly columns?: Named<Column>;
  readonly indexes?: Named<SchemaIndex>;
  readonly triggers?: Named<Trigger>;
  readonly rules?: Named<Defined>;
  readonly statistics?: Named<Defined>;
}

/** A table. A partition lists its columns, but no constraints, indexes, and triggers that it got from its table. */
export interface Table extends Relation {
  readonly kind: "table" | "partitioned table" | "foreign table";
  readonly unlogged?: true;
  /** Of a partitioned table, such as `RANGE (at)`. */
  readonly partitionKey?: string;
  /** The bounds of a partition. */
  readonly partition?: string;
  /** The table of a partition, or the parents by inheritance. */
  readonly inherits?: readonly string[];
  /** The server of a foreign table. */
  readonly server?: string;
  readonly replicaIdentity?: "full" | "nothing" | "index";
  readonly rowSecurity?: "enabled" | "forced";
  readonly constraints?: Named<SchemaConstraint>;
  readonly policies?: Named<Policy>;
}

/** A view or a materialized view. */
export interface View extends Relation {
  readonly kind: "view" | "materialized view";
  readonly definition: string;
  readonly unpopulated?: true;
}

/** A sequence that belongs to no identity column. */
export interface Sequence extends Granted {
  readonly type: string;
  /** Text if JavaScript would round it, as `minimum` and `maximum`. */
  readonly start: number | string;
  readonly increment: number;
  readonly minimum: number | string;
  readonly maximum: number | string;
  readonly cache: number;
  readonly cycle?: true;
  readonly unlogged?: true;
  /** The column of a `serial`. */
  readonly ownedBy?: { readonly table: string; readonly column: string };
}

/** A domain. */
export interface Domain extends Granted {
  readonly type: string;
  readonly notNull?: true;
  readonly default?: string;
  readonly collation?: string;
  readonly constraints?: Named<SchemaConstraint>;
}

/** A function, a procedure, or an aggregate. */
export interface Routine extends Granted {
  readonly kind: "function" | "procedure" | "aggregate" | "window";
  readonly definition: string;
}

/**
 * The schema of a database, as the catalogs have it: each object by `schema.name`, and a function by
 * `schema.name(argument types)`. A name with a dot or a quote is in quotes.
 */
export interface DatabaseSchema {
  readonly extensions: Named<{ readonly version: string; readonly schema: string }>;
  readonly schemas: Named<Granted>;
  readonly enums: Named<Granted & { readonly labels: readonly string[] }>;
  readonly domains: Named<Domain>;
  readonly composites: Named<
    Granted & { readonly attributes: readonly { readonly name: string; readonly type: string }[] }
  >;
  readonly ranges: Named<Granted & { readonly subtype: string }>;
  readonly sequences: Named<Sequence>;
  readonly tables: Named<Table>;
  readonly views: Named<View>;
  readonly functions: Named<Routine>;
  readonly eventTriggers: Named<{
    readonly event: string;
    readonly function: string;
    readonly tags?: readonly string[];
    readonly enabled?: "disabled" | "replica" | "always";
  }>;
}

/** A schema without objects, not even the schema `public`. */
export const emptySchema: DatabaseSchema = {
  extensions: {},
  schemas: {},
  enums: {},
  domains: {},
  composites: {},
  ranges: {},
  sequences: {},
  tables: {},
  views: {},
  functions: {},
  eventTriggers: {},
};

/**
 * Returns the query whose one value is the JSON of a {@link DatabaseSchema}, also to be used as a subquery. Its session needs the
 * search path `pg_catalog, pg_temp`, and `jit = off`, because compiling takes longer than running. It includes the version
 * table: see {@link withoutVersionTable}.
 */
export function schemaQuery(): string {
  return readFileSync(join(import.meta.dirname, "query.sql"), "utf8")
    .replaceAll(/^ *--.*\n/gm, "")
    .trimEnd();
}

/**
 * Returns a schema without Alembic's version table. If its schema isn't known, each table of its name is one that has only the
 * column `version_num`.
 */
export function withoutVersionTable(schema: DatabaseSchema, { schema: space, name }: VersionTable): DatabaseSchema {
  const isVersionTable = ([key, { columns = {} }]: [string, Table]) =>
    space === null
      ? key.endsWith(`.${quoteDotted(name)}`) && Object.keys(columns).join() === "version_num"
      : key === `${quoteDotted(space)}.${quoteDotted(name)}`;
  const tables = Object.entries(schema.tables).filter((entry) => !isVersionTable(entry));
  return { ...schema, tables: Object.fromEntries(tables) };
}

/** Returns a name as it is part of a key. */
function quoteDotted(name: string): string {
  return /[."]/.test(name) ? quoteName(name) : name;
}

/** Returns the SHA-256 of a schema, whatever the order of its keys. */
export function schemaDigest(schema: DatabaseSchema): string {
  const sorted = (_: string, value: unknown) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  return createHash("sha256").update(JSON.stringify(schema, sorted)).digest("hex");
}
