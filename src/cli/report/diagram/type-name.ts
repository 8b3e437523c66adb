/** SQL's names of types that PostgreSQL's catalogue calls otherwise; `timestamptz` and the like are names of both. */
const names: Readonly<Record<string, string>> = {
  bool: "boolean",
  bpchar: "char",
  float4: "real",
  float8: "double precision",
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
};

/** @returns A type as people write it, of one as `pg_type.typname` has it: `text[]` of `_text`. */
export function typeName(type: string): string {
  return type.startsWith("_") ? `${typeName(type.slice(1))}[]` : (names[type] ?? type);
}
