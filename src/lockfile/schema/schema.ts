import { isDeepStrictEqual } from "node:util";

/** A foreign key. */
export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: string;
  /** `pg_constraint.confdeltype`: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  readonly onDelete: string;
}

/** The properties of a table that both the lockfile's SQL and a database's catalog contain. */
export interface TableSchema {
  /** `pg_type.typname` of each column, such as `int8`, `timestamptz`, `jsonb`, or `_text` for an array. */
  readonly columns: Readonly<Record<string, string>>;
  readonly foreignKeys: readonly ForeignKey[];
  /** Columns of each index, including those of constraints; `null` for an expression. */
  readonly indexes: Readonly<Record<string, readonly (string | null)[]>>;
}

/** Tables by name; `schema.table` outside the default schema. */
export type Schema = Readonly<Record<string, TableSchema>>;

/** Describes each part of `expected` that `found` lacks. Additional parts of `found` are ignored. */
export function missingFrom(found: Schema, expected: Schema): string[] {
  return Object.entries(expected).flatMap(([name, table]) => {
    const other = found[name];
    if (other === undefined) return [`table ${name}`];
    return [...columnsMissing(name, table, other), ...keysMissing(name, table, other), ...indexesMissing(table, other)];
  });
}

function columnsMissing(name: string, table: TableSchema, { columns }: TableSchema): string[] {
  const missing: string[] = [];
  for (const [column, type] of Object.entries(table.columns)) {
    const found = columns[column];
    if (found === undefined) missing.push(`column ${name}.${column}`);
    else if (found !== type) missing.push(`column ${name}.${column} as ${type} (actual: ${found})`);
  }
  return missing;
}

/** Compares keys by content, because PostgreSQL may have generated their names. */
function keysMissing(name: string, table: TableSchema, { foreignKeys }: TableSchema): string[] {
  const present = new Set(foreignKeys.map(describeKey));
  return table.foreignKeys
    .map(describeKey)
    .filter((key) => !present.has(key))
    .map((key) => `foreign key ${name}${key}`);
}

/** SQL of {@link ForeignKey.onDelete}; none for no action. */
export const deleteActions: Readonly<Record<string, string>> = {
  r: "RESTRICT",
  c: "CASCADE",
  n: "SET NULL",
  d: "SET DEFAULT",
};

function describeKey({ columns, references, onDelete }: ForeignKey): string {
  const action = deleteActions[onDelete] === undefined ? "" : ` ON DELETE ${deleteActions[onDelete]}`;
  return `(${columns.join(", ")}) REFERENCES ${references}${action}`;
}

function indexesMissing(table: TableSchema, { indexes }: TableSchema): string[] {
  const missing: string[] = [];
  for (const [name, columns] of Object.entries(table.indexes)) {
    const found = indexes[name];
    if (found === undefined) missing.push(`index ${name}`);
    else if (!isDeepStrictEqual(found, columns))
      missing.push(`index ${name} on ${list(columns)} (actual: ${list(found)})`);
  }
  return missing;
}

function list(columns: readonly (string | null)[]): string {
  return columns.map((column) => column ?? "expression").join(", ");
}
