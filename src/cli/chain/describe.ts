import type { Expected } from "../../checks/result.ts";
import type { Description } from "../../plan/live-state.ts";
import { expectedOutputs } from "./expected-outputs.ts";
import { drawPicture } from "./picture.ts";
import type { TableView } from "./schema.ts";
import type { RevisionView } from "./view.ts";

/** All that `unity chain` shows. */
export interface ChainDescription {
  readonly revisions: readonly RevisionView[];
  readonly tables: readonly TableView[];
  /** Where the database is, if it was asked. */
  readonly live?: Description | undefined;
  /** What a database at the head answers. */
  readonly expected: Expected;
}

/** @returns One line on the chain as a whole. */
function summarize({ revisions, tables, expected }: Omit<ChainDescription, "live">): string {
  const several = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return `${several(revisions.length, "revision")}, ${several(tables.length, "table")}; latest: ${expected.head}`;
}

/** @returns The chain for people: picture, schema and what a database at its head answers. */
export function describeChain(chain: ChainDescription): string {
  const { revisions, tables, live, expected } = chain;
  const where = live === undefined ? [] : [live.message, live.remediation, ""];
  const outputs = expectedOutputs(expected).flatMap(({ title, command, prints }) => [
    "",
    title,
    `  $ ${command}`,
    ...prints.map((line) => `  ${line}`),
  ]);
  return [
    `The chain: ${summarize(chain)}`,
    "",
    ...where,
    ...drawPicture(revisions),
    "",
    "Schema at the head: the revision that makes a table, its columns, what they point at",
    "",
    ...describeSchema(tables, revisions),
    "",
    "What a database at the head and its backend answer",
    ...outputs,
  ].join("\n");
}

const lineWidth = 118;

/** @returns Lines on each table: what makes it, its columns with the tables that they point at, its indexes. */
function describeSchema(tables: readonly TableView[], revisions: readonly RevisionView[]): string[] {
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
