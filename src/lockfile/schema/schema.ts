/** A foreign key: the columns in its order, the table that it leads to, and what a deletion there does. */
export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: string;
  /** As PostgreSQL's catalogue has it: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  readonly onDelete: string;
}

/** A table as the lock's SQL and the database's catalogue both can tell it. */
export interface TableSchema {
  /** PostgreSQL's own name of each column's type, such as `int8`, `timestamptz`, `jsonb`; `_text` is a list of texts. */
  readonly columns: Readonly<Record<string, string>>;
  readonly foreignKeys: readonly ForeignKey[];
  /** Columns of each index, those of constraints among them; an expression has no column's name: `null`. */
  readonly indexes: Readonly<Record<string, readonly (string | null)[]>>;
}

/** Tables by name; `schema.table` for those outside the default schema. */
export type Schema = Readonly<Record<string, TableSchema>>;

/** @returns A sentence for each thing that `expected` has and `found` lacks; what `found` has besides is nobody's fault. */
export function missingFrom(found: Schema, expected: Schema): string[] {
  return Object.entries(expected).flatMap(([name, table]) => {
    const other = found[name];
    if (other === undefined) return [`table ${name}`];
    return [...columnsMissing(name, table, other), ...keysMissing(name, table, other), ...indexesMissing(table, other)];
  });
}

function columnsMissing(name: string, table: TableSchema, { columns }: TableSchema): string[] {
  return Object.entries(table.columns).flatMap(([column, type]) => {
    const found = columns[column];
    if (found === type) return [];
    return [found === undefined ? `column ${name}.${column}` : `column ${name}.${column} as ${type}, it is ${found}`];
  });
}

/** By what they say: where a name is left to PostgreSQL, it is its own business. */
function keysMissing(name: string, table: TableSchema, { foreignKeys }: TableSchema): string[] {
  const present = new Set(foreignKeys.map(describeKey));
  return table.foreignKeys
    .map(describeKey)
    .filter((key) => !present.has(key))
    .map((key) => `foreign key ${name}${key}`);
}

/** SQL's words for {@link ForeignKey.onDelete}; none for no action. */
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
  return Object.entries(table.indexes).flatMap(([name, columns]) => {
    const found = indexes[name];
    if (found === undefined) return [`index ${name}`];
    const same = found.length === columns.length && columns.every((column, i) => column === found[i]);
    return same ? [] : [`index ${name} on (${list(columns)}), it is on (${list(found)})`];
  });
}

function list(columns: readonly (string | null)[]): string {
  return columns.map((column) => column ?? "an expression").join(", ");
}
