import type { Expected } from "../../checks/result.ts";
import { pluralize } from "../../pluralize.ts";
import { plain, type Style } from "../highlight.ts";
import { expectedOutputs } from "./expected-outputs.ts";
import { drawPicture } from "./picture.ts";
import type { TableView } from "./schema.ts";
import type { RevisionView } from "./view.ts";

/** The chain, and the checks of a database at its head. */
export interface ChainDescription {
  readonly revisions: readonly RevisionView[];
  readonly tables: readonly TableView[];
  readonly expected: Expected;
}

/**
 * Describes the chain: picture, schema, and the expected output of a database at its head.
 *
 * @param state - Lines on the state of a database that was queried.
 */
export function describeChain(
  { revisions, tables, expected }: ChainDescription,
  state: readonly string[] = [],
  style: Style = plain,
): string {
  const counts = `${pluralize(revisions.length, "revision")}, ${pluralize(tables.length, "table")}`;
  const lines = [style("heading", `Chain: ${counts}; latest: ${expected.head}`), ""];
  if (state.length > 0) lines.push(...state, "");
  lines.push(...drawPicture(revisions, style), "");
  lines.push(style("heading", "Schema at the head: creating revision, table, columns, references"), "");
  lines.push(...describeSchema(tables, revisions), "");
  lines.push(style("heading", "Expected output of a database at the head and its backend"));
  for (const { title, command, output } of expectedOutputs(expected))
    lines.push("", title, style("aside", `  $ ${command}`), ...output.map((line) => `  ${line}`));
  return lines.join("\n");
}

const lineWidth = 118;

/** Returns lines on each table: position of its revision, name, columns with their references, indexes. */
function describeSchema(tables: readonly TableView[], revisions: readonly RevisionView[]): string[] {
  const position = new Map(revisions.map((revision) => [revision.id, revision.position]));
  const nameWidth = Math.max(0, ...tables.map(({ name }) => name.length));
  const positionWidth = String(revisions.length).length;
  return tables.flatMap((table) => {
    const number = String(position.get(table.createdBy) ?? "").padStart(positionWidth);
    const margin = `${number}  ${table.name.padEnd(nameWidth)}  `;
    const [first = "columns unknown", ...others] = wrap(describeColumns(table), lineWidth - margin.length);
    return [margin + first, ...others.map((line) => " ".repeat(margin.length) + line)];
  });
}

function describeColumns({ columns, references, indexes }: TableView): string[] {
  const phrases = columns.map((column) => {
    const key = references.find((reference) => reference.columns.length === 1 && reference.columns[0] === column);
    return key === undefined ? column : `${column} -> ${key.table}`;
  });
  for (const { columns: composite, table } of references)
    if (composite.length > 1) phrases.push(`(${composite.join(", ")}) -> ${table}`);
  const described = phrases.map((phrase, index) => (index < phrases.length - 1 ? `${phrase},` : phrase));
  if (indexes > 0) described.push(`[${pluralize(indexes, "index")}]`);
  return described;
}

/** Wraps phrases into lines without breaking a phrase. */
function wrap(phrases: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const phrase of phrases) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + phrase.length <= width) lines[lines.length - 1] = `${last} ${phrase}`;
    else lines.push(phrase);
  }
  return lines;
}
