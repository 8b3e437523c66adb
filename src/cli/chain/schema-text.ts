import type { TableView } from "./schema.ts";
import type { RevisionView } from "./view.ts";

const lineWidth = 118;

/** @returns Lines on each table: what makes it, its columns with the tables that they point at, its indexes. */
export function describeSchema(tables: readonly TableView[], revisions: readonly RevisionView[]): string[] {
  const position = new Map(revisions.map((revision) => [revision.id, revision.position]));
  const names = Math.max(0, ...tables.map(({ name }) => name.length));
  const numbers = String(revisions.length).length;
  return tables.flatMap((table) => {
    const number = String(position.get(table.madeBy) ?? "").padStart(numbers);
    const margin = `${number}  ${table.name.padEnd(names)}  `;
    const [first = "columns not known", ...others] = wrap(columnWords(table), lineWidth - margin.length);
    return [margin + first, ...others.map((line) => " ".repeat(margin.length) + line)];
  });
}

function columnWords({ columns, references, indexes }: TableView): string[] {
  const args = columns.map((column) => {
    const key = references.find((reference) => reference.columns.length === 1 && reference.columns[0] === column);
    return key === undefined ? column : `${column} -> ${key.table}`;
  });
  const composite = references.filter((reference) => reference.columns.length > 1);
  const keys = composite.map(({ columns: several, table }) => `(${several.join(", ")}) -> ${table}`);
  const indexed = indexes === 0 ? [] : [`[${indexes === 1 ? "1 index" : `${indexes} indexes`}]`];
  return [...args, ...keys].map((word, index, all) => (index < all.length - 1 ? `${word},` : word)).concat(indexed);
}

/** @returns Words in lines; a word is never broken. */
function wrap(args: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of args) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
