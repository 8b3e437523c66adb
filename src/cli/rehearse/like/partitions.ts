import type { DatabaseStatistics, TableStatistics } from "../../../cluster/table-statistics.ts";
import type { DatabaseSchema, Table } from "../../../lockfile/database-schema/database-schema.ts";
import { partsOfKey, quoteTable } from "../../../lockfile/database-schema/sql-names.ts";
import { quoteName } from "../../../lockfile/version-table.ts";
import { keyColumn, type PartitionBound, partitionBound } from "./partition-bounds.ts";

type Tables = DatabaseStatistics["tables"];

/** Rows that one statement inserts. */
export interface RowRange {
  /** The table to insert into. */
  readonly table: string;
  /** Number of the first row in the whole table, from 1. */
  readonly first: number;
  readonly count: number;
  /** Bounds of columns of partition keys. */
  readonly bounds: ReadonlyMap<string, PartitionBound>;
}

/** Returns tables, of which those without columns have those of their largest partition: autovacuum analyzes only these. */
export function withColumns(tables: Tables): Tables {
  const isKnown = ({ columns }: TableStatistics) => Object.keys(columns).length > 0;
  const completed = Object.entries(tables).map(([name, table]) => {
    if (isKnown(table)) return [name, table];
    const members = Object.entries(tables).filter(([member]) => ancestorsOf(member, tables).includes(name));
    const known = members.map(([, member]) => member).filter(isKnown);
    const [largest] = known.sort((a, b) => (b.rows ?? 0) - (a.rows ?? 0));
    return [name, largest === undefined ? table : { ...table, columns: largest.columns }];
  });
  return Object.fromEntries(completed);
}

/** Returns the tables that a table is a partition or a child of, at any level. */
export function ancestorsOf(name: string, tables: Tables): readonly string[] {
  const parents = Object.hasOwn(tables, name) ? (tables[name]?.parents ?? []) : [];
  return parents.flatMap((parent) => [parent, ...ancestorsOf(parent, tables)]);
}

/** Returns the partitioned table that a partition belongs to at the highest level; of another table, the table itself. */
export function rootOf(name: string, tables: Tables): string {
  const { bound = null, parents: [parent] = [] } = (Object.hasOwn(tables, name) && tables[name]) || {};
  return bound === null || parent === undefined ? name : rootOf(parent, tables);
}

/** Returns the partitions of a table, but not theirs. */
function partitionsOf(name: string, tables: Tables) {
  return Object.entries(tables).flatMap(([partition, { bound, key, parents }]) =>
    bound !== null && parents[0] === name ? [{ name: partition, bound, key }] : [],
  );
}

/** Returns the statements that create the partitions of each table, unless its chain does, by the table's name in SQL. */
export function partitionStatements(tables: Tables): Record<string, readonly string[]> {
  const statements = (parent: string): string[] =>
    partitionsOf(parent, tables).flatMap(({ name, bound, key }) => [
      `CREATE SCHEMA IF NOT EXISTS ${quoteName(partsOfKey(name)[0])}`,
      `CREATE TABLE IF NOT EXISTS ${quoteTable(name)} PARTITION OF ${quoteTable(parent)} ${bound}` +
        (key === null ? "" : ` PARTITION BY ${key}`),
      ...statements(name),
    ]);
  const roots = Object.entries(tables).filter(([, { key, bound }]) => key !== null && bound === null);
  return Object.fromEntries(roots.map(([name]) => [quoteTable(name), statements(name)]));
}

/**
 * Distributes the rows of a table among its partitions, as the live ones are.
 *
 * @param head - The schema after the pending revisions, which may attach the table to another one.
 * @throws {Error} If the values of a partition key can't be generated.
 */
export function rowRanges(
  name: string,
  count: number,
  tables: Tables,
  schema: Table | undefined,
  head: DatabaseSchema,
): RowRange[] {
  const parts = partsOf(name, attachedBounds(name, schema, head), tables, schema);
  const total = parts.reduce((sum, { rows }) => sum + rows, 0);
  let before = 0;
  return parts.flatMap(({ table, rows, bounds }) => {
    const [first, last] = [before, before + rows].map((sum) => Math.round((sum / total) * count)) as [number, number];
    before += rows;
    return last > first ? [{ table, first: first + 1, count: last - first, bounds }] : [];
  });
}

/** Returns the bounds of a table that becomes a partition. */
function attachedBounds(name: string, schema: Table | undefined, head: DatabaseSchema): RowRange["bounds"] {
  const { partition, inherits: [parent = ""] = [] } = head.tables[name] ?? {};
  const column = keyColumn(head.tables[parent]?.partitionKey ?? "");
  if (partition === undefined || schema?.partition !== undefined || column === null) return new Map();
  const bound = partitionBound(partition);
  return bound.kind === "list" || bound.kind === "range" ? new Map([[column, bound]]) : new Map();
}

interface Part extends Pick<RowRange, "table" | "bounds"> {
  readonly rows: number;
}

/** Returns where to insert the rows of a table: PostgreSQL finds the partition of a hash, and what is left for the default one. */
function partsOf(table: string, bounds: RowRange["bounds"], tables: Tables, schema: Table | undefined): Part[] {
  const { rows = null, key = null } = tables[table] ?? {};
  const partitions = partitionsOf(table, tables);
  if (key === null || partitions.length === 0 || key.startsWith("HASH")) return [{ table, bounds, rows: rows ?? 0 }];
  const column = keyColumn(key);
  if (column === null || schema?.columns?.[column] === undefined)
    throw new Error(`rows are not generated for a partition key of expressions or several columns: ${key}`);
  return partitions.flatMap((partition) => {
    const bound = partitionBound(partition.bound);
    if (bound.kind === "default") return [{ table, bounds, rows: tables[partition.name]?.rows ?? 0 }];
    return partsOf(partition.name, new Map([...bounds, [column, bound]]), tables, schema);
  });
}
