import { stripVTControlCharacters } from "node:util";

/** Formats a table without borders, with two spaces between its left-aligned columns. Cells may have color. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [headers, ...rows];
  const length = (cell: string) => stripVTControlCharacters(cell).length;
  const widths = headers.map((_, column) => Math.max(...lines.map((row) => length(row[column] ?? ""))));
  return lines.map((row) => {
    const cells = row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - length(cell)));
    return cells.join("  ").trimEnd();
  });
}
