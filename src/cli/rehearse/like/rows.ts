import type { DatabaseStatistics } from "../../../cluster/table-statistics.ts";
import type { DatabaseSchema, SchemaConstraint, Table } from "../../../lockfile/database-schema/database-schema.ts";
import { quoteTable } from "../../../lockfile/database-schema/sql-names.ts";
import { literal, quoteName } from "../../../lockfile/version-table.ts";
import { acceptedValue, acceptedValues } from "./partition-bounds.ts";
import { type RowRange, rowRanges } from "./partitions.ts";
import { allowedBy, isGenerated, unknownColumn, valueSql } from "./values.ts";

/** Inputs of the rows. */
export interface RowsOptions {
  readonly statistics: DatabaseStatistics;
  /** The schema that gets them. */
  readonly schema: DatabaseSchema;
  /** The schema after the pending revisions: rows satisfy the constraints that these add, where live ones may. */
  readonly head: DatabaseSchema;
  /** Number of rows by table. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A foreign key with the columns that it references. */
interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  readonly referenced: readonly string[];
}

/** Levels of foreign keys that are followed: a table may reference itself. */
const maximumDepth = 5;

/** The rows that are generated, and the table that they are generated for. */
interface Inserted extends RowsOptions {
  readonly root: string;
  readonly range: RowRange;
}

/**
 * Returns the statements that insert the rows of a table and its partitions, and then those that prepare it for measuring.
 *
 * @throws {Error} If the values of a partition key can't be generated.
 */
export function rowStatements(name: string, options: RowsOptions): readonly string[] {
  const { schema, head, statistics, counts } = options;
  const table = quoteTable(name);
  const count = counts.get(name) ?? 0;
  const ranges = rowRanges(name, count, statistics.tables, schema.tables[name], head);
  const sequences = Object.entries(schema.tables[name]?.columns ?? {})
    .filter(([, { default: value, identity }]) => identity !== undefined || /\bnextval\(/.test(value ?? ""))
    .map(([column]) => `setval(pg_get_serial_sequence(${literal(table)}, ${literal(column)}), ${Math.max(1, count)})`);
  return [
    ...ranges.map((range) => insertStatement(name, { ...options, root: name, range })),
    ...(sequences.length > 0 ? [`SELECT ${sequences.join(", ")}`] : []),
    `VACUUM (ANALYZE) ${table}`,
  ];
}

function insertStatement(name: string, options: Inserted): string {
  const { table, first, count } = options.range;
  const columns = Object.entries(options.schema.tables[name]?.columns ?? {});
  const written = columns.flatMap(([column, properties]) => {
    if (isGenerated(properties)) return [];
    const value = columnValue(name, column, "number", options);
    if (value === null && properties.default !== undefined) return [];
    return [[quoteName(column), value ?? "NULL"]];
  });
  const names = written.map(([column]) => column).join(", ");
  const values = written.map(([, value]) => value).join(", ");
  return (
    `INSERT INTO ${quoteTable(table)} (${names}) OVERRIDING SYSTEM VALUE ` +
    `SELECT ${values} FROM generate_series(${first}::bigint, ${first + count - 1}) number ON CONFLICT DO NOTHING`
  );
}

/** Returns the expression of a column's value in a row; `null` if it has none. */
function columnValue(name: string, column: string, row: string, options: Inserted, depth = 0): string | null {
  const { schema, head, statistics, counts } = options;
  const properties = schema.tables[name]?.columns?.[column];
  const count = counts.get(name) ?? 0;
  if (properties === undefined || count === 0 || depth > maximumDepth) return null;
  if (boundOf(name, column, options) !== undefined) return keyValue(column, properties.type, options);
  const known = statistics.tables[name]?.columns[column] ?? unknownColumn;
  const allowed = allowedBy(merged(schema.tables[name], head.tables[name]), column);
  const key = foreignKeys(name, options).find(({ columns }) => columns.includes(column));
  let value: string | null;
  if (key === undefined) {
    const number = numberOf(name, column, row, distinctValues(known.distinct, count), options);
    value = valueSql({ type: properties.type, statistics: known, ...allowed }, number, schema);
  } else {
    const parents = counts.get(key.table) ?? 0;
    const [first = column] = key.columns;
    const firstKnown = statistics.tables[name]?.columns[first] ?? unknownColumn;
    const distinct = Math.min(distinctValues(firstKnown.distinct, count), parents);
    const number = `((${numberOf(name, first, row, distinct, options)} - 1) % ${parents} + 1)`;
    const referenced = key.referenced[key.columns.indexOf(column)] ?? "";
    value = parents === 0 ? null : columnValue(key.table, referenced, number, options, depth + 1);
  }
  if (value === null || known.nulls === 0 || properties.notNull) return value;
  return `CASE WHEN ${hash(row, `${column} is null`)} % 1000 >= ${Math.round(known.nulls * 1000)} THEN ${value} END`;
}

/** Returns the constraints of a table before and after the pending revisions. */
function merged(before: Table | undefined, after: Table | undefined): Table | undefined {
  return before && { ...before, constraints: { ...after?.constraints, ...before.constraints } };
}

/** Returns the foreign keys of a table, also those that pending revisions add, to tables that have rows. */
function foreignKeys(name: string, { schema, head, counts }: RowsOptions): ForeignKey[] {
  const constraints = Object.values(merged(schema.tables[name], head.tables[name])?.constraints ?? {});
  return constraints
    .filter(({ type }) => type === "foreign key")
    .flatMap((each) => {
      const key = foreignKeyOf(each);
      return key !== undefined && counts.has(key.table) ? [key] : [];
    });
}

function foreignKeyOf({ columns, references, definition }: SchemaConstraint): ForeignKey | undefined {
  const list = /^FOREIGN KEY \(.*?\) REFERENCES .*?\(((?:"(?:[^"]|"")*"|[^")])*)\)/.exec(definition)?.[1];
  if (columns === undefined || references === undefined || list === undefined) return undefined;
  const referenced = [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
  return { columns, table: references, referenced };
}

/** Returns the columns of each unique key of a table, also of those that pending revisions add. */
function uniqueKeys(name: string, { schema, head }: RowsOptions): (readonly (string | null)[])[] {
  return [schema.tables[name], head.tables[name]].flatMap((table) => [
    ...Object.values(table?.constraints ?? {}).flatMap(({ type, columns }) =>
      (type === "primary key" || type === "unique") && columns ? [columns] : [],
    ),
    ...Object.values(table?.indexes ?? {}).flatMap(({ unique, columns }) => (unique ? [columns] : [])),
  ]);
}

/** Returns the number of different values in a table of `count` rows. */
function distinctValues(distinct: number, count: number): number {
  const found = distinct > 0 ? distinct : distinct < 0 ? -distinct * count : count;
  return Math.max(1, Math.min(count, Math.round(found)));
}

/**
 * Returns the expression of the number of a column's value in a row: from 1 to the number of different values, each row another
 * one in a unique column. The columns of a unique key are the digits of the row's number.
 */
function numberOf(name: string, column: string, row: string, distinct: number, options: Inserted): string {
  const { statistics, counts } = options;
  const count = counts.get(name) ?? 0;
  const keys = uniqueKeys(name, options);
  const isUnique = keys.some((columns) => columns.length === 1 && columns[0] === column);
  const known = statistics.tables[name]?.columns[column] ?? unknownColumn;
  const isOrdered = Math.abs(known.correlation ?? 0) > 0.9;
  if (isUnique || distinct >= count) return isOrdered ? row : `(${row} * ${coprime(count)} % ${count} + 1)`;
  const key = keys.find((columns) => columns.length > 1 && columns.includes(column));
  const bounded = key?.find((each) => each !== null && boundOf(name, each, options) !== undefined);
  if (bounded) return `((${row} - 1) / ${keyValues(bounded, options)} + 1)`;
  const [first, second] = key ?? [];
  if (first && second && (column === first || column === second)) {
    const firstKnown = statistics.tables[name]?.columns[first] ?? unknownColumn;
    const base = distinctValues(firstKnown.distinct, count);
    return column === first ? `((${row} - 1) % ${base} + 1)` : `((${row} - 1) / ${base} + 1)`;
  }
  if (isOrdered) return `((${row} - 1) * ${distinct} / ${count} + 1)`;
  return `(${hash(row, column)} % ${distinct} + 1)`;
}

/** Returns the bound of a column of a partition key, of the partition that gets the rows. */
function boundOf(name: string, column: string, { root, range }: Inserted) {
  return name === root ? range.bounds.get(column) : undefined;
}

/** Returns the number of different values of a column of a partition key, in the partition that gets the rows. */
function keyValues(column: string, { root, range, schema, statistics, counts }: Inserted): number {
  const total = counts.get(root) ?? 0;
  const known = statistics.tables[root]?.columns[column] ?? unknownColumn;
  const share = Math.round((distinctValues(known.distinct, total) * range.count) / total);
  const bound = range.bounds.get(column);
  const accepted = bound && acceptedValues(bound, schema.tables[root]?.columns?.[column]?.type ?? "");
  return Math.max(1, Math.min(share, accepted ?? share));
}

/** Returns the expression of a value of a column of a partition key. */
function keyValue(column: string, type: string, options: Inserted): string | null {
  const { root, range, statistics, counts } = options;
  const bound = range.bounds.get(column);
  if (bound === undefined) return null;
  const base = keyValues(column, options);
  const { correlation } = statistics.tables[root]?.columns[column] ?? unknownColumn;
  const others = uniqueKeys(root, options).flatMap((columns) => (columns.includes(column) ? columns : []));
  const total = counts.get(root) ?? 0;
  const isDigit = others.some((other) => {
    const known = statistics.tables[root]?.columns[other ?? ""] ?? unknownColumn;
    return other !== column && distinctValues(known.distinct, total) < total;
  });
  const ordered = `((number - ${range.first}) * ${base} / ${range.count})`;
  const random = `(${hash("number", column)} % ${base})`;
  const digit = isDigit ? `((number - 1) % ${base})` : Math.abs(correlation ?? 0) > 0.9 ? ordered : random;
  return acceptedValue(bound, type, digit, base);
}

/** Returns the expression of a number from 0 that looks random. */
function hash(row: string, salt: string): string {
  return `(hashint8extended(${row}, hashtext(${literal(salt)})) & 9223372036854775807)`;
}

/** Returns a factor that has no divisor in common with a count, so that it permutes the numbers below. */
function coprime(count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let factor = Math.max(1, Math.floor(count * 0.618));
  while (divisor(factor, count) !== 1) factor += 1;
  return factor;
}
