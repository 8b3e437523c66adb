import { type Content, type Html, html } from "./html.ts";
import type { Part } from "./report.ts";

/** Meaning of a badge, which its text carries as well as its color. */
export type Tone = "good" | "bad" | "warn" | "busy" | "plain";

const symbols: Readonly<Record<Tone, string>> = { good: "✓", bad: "✕", warn: "!", busy: "…", plain: "○" };

/** Returns a status with a symbol and a color. */
export function badge(tone: Tone, text: Content, symbol: string = symbols[tone]): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${symbol}</span> ${text}</span>`;
}

/** Returns a text with the parts between backticks as code. */
export function prose(text: string): Content {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

/** Returns a section with its heading. */
export function section(id: string, title: string, content: Content): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}

/** Renders a part, or why it is missing. */
export function renderPart<T>(part: Part<T>, render: (value: T) => Content): Content {
  if ("value" in part) return render(part.value);
  return html`<div class="missing"><p>${badge("plain", "Unknown", "–")}</p><p class="lines">${part.missing}</p></div>`;
}

/** A column of a table. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Content;
}

/** Parts of a table. The cells of the first column are row headings. */
interface TableParts<Row> {
  readonly caption: Content;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /**
   * Whether a narrow page shows each row as a block.
   *
   * @defaultValue false
   */
  readonly stacks?: boolean;
}

/** Returns a table with explicit roles, which a browser otherwise drops from cells that are laid out as blocks. */
export function table<Row>({ caption, columns, rows, stacks = false }: TableParts<Row>): Html {
  const cell = (row: Row, { heading, cell }: Column<Row>, index: number) =>
    index === 0
      ? html`<th scope="row" role="rowheader">${cell(row)}</th>`
      : html`<td role="cell" data-heading="${heading}"><div>${cell(row)}</div></td>`;
  return html`<table role="table"${stacks && html` class="stacks"`}>
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ heading }) => html`<th scope="col" role="columnheader">${heading}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => html`<tr role="row">${columns.map((column, index) => cell(row, column, index))}</tr>\n`)}</tbody>
</table>
`;
}

/** Returns a time in UTC, to the second. */
export function utcTime(iso: string): Html {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return html`${iso}`;
  const utc = date.toISOString();
  return html`<time datetime="${utc}">${utc.slice(0, 10)} ${utc.slice(11, 19)}\u00a0UTC</time>`;
}

/** Returns a name as code, which may wrap between its parts. */
export function code(name: string): Html {
  return html`<code>${name.split(/(?<=[_./:@-])/).map((part, index) => [index > 0 && html`<wbr>`, part])}</code>`;
}

/** Returns names as code, separated by commas. */
export function codes(names: readonly string[]): Content {
  return names.map((name, index) => [index > 0 && ", ", code(name)]);
}

/** Returns the `id` of a table's entry. IDs contain no spaces. */
export function tableId(name: string): string {
  return `table-${encodeURIComponent(name.toWellFormed())}`;
}

/** Returns the `id` of a revision in the chain. */
export function revisionId(id: string): string {
  return `revision-${encodeURIComponent(id.toWellFormed())}`;
}

/** Returns the `id` of a pending revision in the plan. */
export function pendingId(id: string): string {
  return `pending-${encodeURIComponent(id.toWellFormed())}`;
}
