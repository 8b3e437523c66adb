import { type Content, type Html, html } from "./html.ts";
import type { Part } from "./report.ts";

/** What a mark says beside its words; never by its colour alone. */
export type Tone = "good" | "bad" | "warn" | "busy" | "plain";

const symbols: Readonly<Record<Tone, string>> = { good: "✓", bad: "✕", warn: "!", busy: "…", plain: "○" };

/** @returns A status in a word, with a symbol and a colour. */
export function badge(tone: Tone, word: Content, symbol: string = symbols[tone]): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${symbol}</span> ${word}</span>`;
}

/** @returns A text whose words between backticks are code. */
export function prose(text: string): Content {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

/** @returns A section with its heading, which the contents lead to. */
export function section(id: string, title: string, content: Content): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}

/** @returns What `show` makes of a part; else why it can't be had. */
export function shown<T>(part: Part<T>, show: (value: T) => Content): Content {
  if ("value" in part) return show(part.value);
  return html`<div class="missing"><p>${badge("plain", "Not known", "–")}</p><p class="lines">${part.missing}</p></div>`;
}

/** A column of a table: its heading, and what a row has in it. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Content;
}

/** What a table consists of; the first column's cells are the rows' headings. */
interface TableParts<Row> {
  readonly caption: Content;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Whether a narrow page shows each row as a block, each cell with its heading. @defaultValue false */
  readonly stacks?: boolean;
  readonly id?: string;
}

/** @returns A table whose roles hold however it is laid out. */
export function table<Row>({ caption, columns, rows, stacks = false, id }: TableParts<Row>): Html {
  const cell = (row: Row, { heading, cell }: Column<Row>, index: number) =>
    index === 0
      ? html`<th scope="row" role="rowheader">${cell(row)}</th>`
      : html`<td role="cell" data-heading="${heading}"><div>${cell(row)}</div></td>`;
  return html`<table role="table"${stacks ? html` class="stacks"` : ""}${id === undefined ? "" : html` id="${id}"`}>
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ heading }) => html`<th scope="col" role="columnheader">${heading}</th>`)}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => html`<tr role="row">${columns.map((column, index) => cell(row, column, index))}</tr>\n`)}</tbody>
</table>
`;
}

/** @returns A moment in UTC, to the second. */
export function moment(iso: string): Html {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return html`${iso}`;
  const utc = date.toISOString();
  return html`<time datetime="${utc}">${utc.slice(0, 10)} ${utc.slice(11, 19)}\u00a0UTC</time>`;
}

/** @returns A name as code, which may be broken where its parts meet. */
export function code(name: string): Html {
  return html`<code>${name.split(/(?<=[_./:@-])/).map((part, index) => [index > 0 && html`<wbr>`, part])}</code>`;
}

/** @returns Names, each as code, with commas between. */
export function codes(names: readonly string[]): Content {
  return names.map((name, index) => [index > 0 && ", ", code(name)]);
}

/** @returns A number of things in words: `1 table`, `3 tables`. */
export function several(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
