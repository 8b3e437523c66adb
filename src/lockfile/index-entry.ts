import { findAll, type NodeOf, texts } from "./sql-parser.ts";

/** Bytes of an entry that every index can store. Of PostgreSQL's limits, that of B-trees is the lowest: 2704 with a header. */
export const entryLimit = 2600;

/** Bytes that count for a value of a type of fixed size, or one that is always short. */
const fixedSize = 64;

/** Types of fixed size, or that are always short. `enum` stands for all enumerations. */
const fixed: ReadonlySet<string> = new Set([
  ...["bool", "char", "enum", "float4", "float8", "int2", "int4", "int8", "money", "name", "oid", "pg_lsn", "uuid"],
  ...["date", "interval", "time", "timestamp", "timestamptz", "timetz", "cidr", "inet", "macaddr", "macaddr8"],
  ...["box", "circle", "lseg", "point", "daterange", "int4range", "int8range", "tsrange", "tstzrange"],
]);

/** Types of limited size, and the bytes of a value by the number in parentheses. A character has at most 4 bytes. */
const limited: Readonly<Record<string, (length: number) => number>> = {
  bit: (length) => length / 8 + 8,
  bpchar: (length) => length * 4 + 4,
  numeric: (precision) => precision / 2 + 16,
  varbit: (length) => length / 8 + 8,
  varchar: (length) => length * 4 + 4,
};

/** Functions whose result has at most twice the bytes of its argument. */
const caseFunctions: readonly string[] = ["lower", "upper"];

/** Types and operator classes whose entries in a GIN or GiST index are short, whatever the values are. */
const shortKeys: ReadonlySet<string> = new Set([
  ...["gin jsonb", "gin tsvector", "gist tsvector"],
  ...["gin gin_trgm_ops", "gist gist_trgm_ops", "gin jsonb_ops", "gin jsonb_path_ops"],
]);

/**
 * Returns how many bytes an entry of an index may have; `Infinity` if that is unknown or has no limit.
 *
 * @param typeOf - Returns the type of a column, such as `varchar(20)`; `undefined` if it is unknown.
 */
export function entryBytes(
  { accessMethod = "btree", indexParams = [], indexIncludingParams = [] }: NodeOf<"IndexStmt">,
  typeOf: (column: string) => string | undefined,
): number {
  if (accessMethod === "hash") return 0;
  const elements = findAll([indexParams, indexIncludingParams], "IndexElem");
  return elements
    .map(({ name, expr, opclass }) => {
      const type = name === undefined ? undefined : typeOf(name);
      const keys = [type, ...texts(opclass)].map((key) => `${accessMethod} ${key}`);
      if (keys.some((key) => shortKeys.has(key))) return fixedSize;
      if (type !== undefined) return typeBytes(type);
      const column = columnInOtherCase(expr);
      return column === undefined ? Number.POSITIVE_INFINITY : 2 * typeBytes(typeOf(column) ?? "");
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

function typeBytes(type: string): number {
  const [, name = "", length] = type.match(/^(\w+)(?:\((\d+)[^)]*\))?$/) ?? [];
  if (fixed.has(name)) return fixedSize;
  return (length === undefined ? undefined : limited[name]?.(Number(length))) ?? Number.POSITIVE_INFINITY;
}

/** Returns the column of an expression such as `lower(name)`. */
function columnInOtherCase(expression: unknown): string | undefined {
  const calls = findAll(expression, "FuncCall");
  const [columns, nodes] = [findAll(expression, "ColumnRef"), calls[0]?.args ?? []];
  const isCase = calls.length === 1 && caseFunctions.includes(texts(calls[0]?.funcname).at(-1) ?? "");
  if (!isCase || columns.length !== 1 || nodes[0] === undefined || !("ColumnRef" in nodes[0])) return undefined;
  return texts(columns[0]?.fields).at(-1);
}
