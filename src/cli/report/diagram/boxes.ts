import type { TableDetails } from "../../chain/schema.ts";
import { typeName } from "./type-name.ts";

/** Sizes in pixels; a character's is that of a monospaced font of 12 pixels, rounded up. */
export const size = { character: 7.4, row: 20, header: 30, padding: 12, gap: 16, mark: 38, minWidth: 200 } as const;

/** Characters that a name and a type may take; the table's entry beside the diagram has them whole. */
const limits = { name: 32, type: 20 } as const;

/** A column as the diagram shows it. */
export interface Row {
  /** The column's whole name. */
  readonly column: string;
  readonly label: string;
  readonly type: string;
  readonly primary: boolean;
  readonly foreign: boolean;
}

/** A table before it has a place. */
export interface Box {
  readonly table: string;
  readonly label: string;
  readonly rows: readonly Row[];
  readonly height: number;
}

/** @returns A table as the diagram shows it. */
export function boxOf({ name, columns, primaryKey, foreignKeys }: TableDetails): Box {
  const foreign = new Set(foreignKeys.flatMap((key) => key.columns));
  const rows = Object.entries(columns).map(([column, type]) => ({
    column,
    label: cut(column, limits.name),
    type: cut(typeName(type), limits.type),
    primary: primaryKey.includes(column),
    foreign: foreign.has(column),
  }));
  const height = size.header + rows.length * size.row + (rows.length > 0 ? 8 : 0);
  return { table: name, label: cut(name, limits.name + 4), rows, height };
}

/** @returns The width that every box has, so that each line can pass between the columns of boxes. */
export function widthOf(boxes: readonly Box[]): number {
  const needed = boxes.flatMap(({ label, rows }) => [
    label.length * size.character * 1.1 + 2 * size.padding,
    ...rows.map(
      ({ label, type }) => (label.length + type.length) * size.character + size.mark + size.gap + 2 * size.padding,
    ),
  ]);
  return Math.ceil(needed.reduce((widest, width) => Math.max(widest, width), size.minWidth));
}

/** @returns The height of a column's middle within its box; of the header's, if it has no such column. */
export function middleOf({ rows }: Box, column: string | undefined): number {
  const index = rows.findIndex((row) => row.column === column);
  return index < 0 ? size.header / 2 : size.header + 4 + (index + 0.5) * size.row;
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
