import { countedRows } from "../../../lockfile/measured-times.ts";

/** A live table that pending revisions read or change. */
export interface LiveTable {
  readonly rows: number;
  readonly bytes: number;
}

/** Limits of the rows of a run, of all tables together. */
export interface RowBudget {
  readonly rows: number;
  readonly bytes: number;
}

/** Returns the largest fraction of the live rows that fits. */
export function scaleFor(tables: Iterable<LiveTable>, budget: RowBudget): number {
  let [rows, bytes] = [0, 0];
  for (const table of tables) {
    rows += table.rows;
    bytes += table.bytes;
  }
  return Math.min(1, rows === 0 ? 1 : budget.rows / rows, bytes === 0 ? 1 : budget.bytes / bytes);
}

/** Returns the number of rows of each table at a scale. Small tables stay as they are, because others reference them. */
export function scaledRows(tables: ReadonlyMap<string, LiveTable>, scale: number): Map<string, number> {
  const scaled = ({ rows }: LiveTable) => Math.min(rows, Math.max(countedRows, Math.ceil(rows * scale)));
  return new Map([...tables].map(([name, table]) => [name, scaled(table)]));
}
