import type { TableDetails } from "../../chain/schema.ts";

/** Sizes in pixels; `character` is the width in a monospaced font of 12 pixels, rounded up. */
export const size = { character: 7.4, row: 20, header: 30, padding: 12, gap: 16, mark: 38, minWidth: 200 } as const;

/** Maximum characters of a name and a type; the table's entry below the diagram shows them in full. */
const limits = { name: 32, type: 20 } as const;

/** A column in the diagram. */
export interface Row {
  /** Full name of the column. */
  readonly column: string;
  readonly label: string;
  readonly type: string;
  readonly primary: boolean;
  readonly foreign: boolean;
}

/** A table in the diagram, without a position. */
export interface Box {
  readonly table: string;
  readonly label: string;
  readonly rows: readonly Row[];
  readonly height: number;
}

/** Returns the box of a table. */
export function boxOf({ name, columns, primaryKey, foreignKeys }: TableDetails): Box {
  const foreign = new Set(foreignKeys.flatMap((key) => key.columns));
  const rows = Object.entries(columns).map(([column, type]) => ({
    column,
    label: truncate(column, limits.name),
    type: truncate(typeName(type), limits.type),
    primary: primaryKey.includes(column),
    foreign: foreign.has(column),
  }));
  const height = size.header + rows.length * size.row + (rows.length > 0 ? 8 : 0);
  return { table: name, label: truncate(name, limits.name + 4), rows, height };
}

/** Returns the width of all boxes. It is the same so that lines can pass between columns of boxes. */
export function widthOf(boxes: readonly Box[]): number {
  let width: number = size.minWidth;
  for (const { label, rows } of boxes) {
    width = Math.max(width, label.length * size.character * 1.1 + 2 * size.padding);
    for (const { label: name, type } of rows) {
      const text = (name.length + type.length) * size.character;
      width = Math.max(width, text + size.mark + size.gap + 2 * size.padding);
    }
  }
  return Math.ceil(width);
}

/** Returns the vertical center of a column in its box; of the header if the box lacks the column. */
export function centerOf({ rows }: Box, column: string | undefined): number {
  const index = rows.findIndex((row) => row.column === column);
  return index < 0 ? size.header / 2 : size.header + 4 + (index + 0.5) * size.row;
}

function truncate(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** SQL names of types with another name in PostgreSQL's catalog. */
const typeNames: Readonly<Record<string, string>> = {
  bool: "boolean",
  bpchar: "char",
  float4: "real",
  float8: "double precision",
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
};

/** Returns the SQL name of a `pg_type.typname`, such as `text[]` for `_text`. */
export function typeName(type: string): string {
  return type.startsWith("_") ? `${typeName(type.slice(1))}[]` : (typeNames[type] ?? type);
}
