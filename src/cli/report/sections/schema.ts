import { deleteActions, type ForeignKey } from "../../../lockfile/schema/schema.ts";
import type { TableDetails } from "../../chain/schema.ts";
import { draw } from "../diagram/draw.ts";
import { layOut } from "../diagram/layout.ts";
import { typeName } from "../diagram/type-name.ts";
import { type Content, type Html, html } from "../html.ts";
import { revisionId, tableId } from "../ids.ts";
import { code, codes, several, table } from "../parts.ts";
import type { Report } from "../report.ts";

/** More tables than these make a diagram that nobody can read, and that takes seconds to lay out. */
const drawn = 200;

/** @returns The tables that the release leaves, as a diagram and one by one. */
export function schemaSection({ tables, heads }: Report): Content {
  const names = new Set(tables.map(({ name }) => name));
  return [
    html`<p>${several(tables.length, "table")} that the chain leaves at ${codes(heads)}, as the SQL of the lock tells it. The check <code>schema</code> compares them with the database.</p>`,
    diagram(tables),
    html`<div class="tables" id="tables">${tables.map((each) => entry(each, names, tables))}</div>`,
  ];
}

function diagram(tables: readonly TableDetails[]): Content {
  if (tables.length === 0) return null;
  if (tables.length > drawn)
    return html`<p>${tables.length} tables are too many for a diagram: the entries below have them all.</p>`;
  const size = (id: string, args: string, checked: Content = null) =>
    html`<label><input type="radio" name="size" id="${id}"${checked}> ${args}</label>`;
  return html`<p class="skip-part"><a href="#tables">Skip the diagram</a></p>
<figure class="schema">
<figcaption>A line leads from a foreign key's column to the table that it refers to. PK: primary key, FK: foreign key. A table leads to its entry below.</figcaption>
<fieldset><legend>Size</legend>${size("size-fit", "fits the page", html` checked`)} ${size("size-full", "full")} ${size("size-large", "large")}</fieldset>
<div class="viewport" role="region" aria-label="Diagram of the tables, which scrolls" tabindex="0">${draw(layOut(tables))}</div>
</figure>
`;
}

function entry(details: TableDetails, names: ReadonlySet<string>, tables: readonly TableDetails[]): Html {
  const { name, createdBy, columns, primaryKey, foreignKeys, indexes } = details;
  const referrers = tables.filter(({ foreignKeys }) => foreignKeys.some(({ references }) => references === name));
  const facts = [
    html`created by ${link(revisionId(createdBy), createdBy)}`,
    referrers.length > 0 &&
      html`referred to by ${referrers.map((each, index) => html`${index > 0 && ", "}${link(tableId(each.name), each.name)}`)}`,
  ];
  const keys = (column: string): Content => [
    primaryKey.includes(column) && html`<p>primary key</p>`,
    foreignKeys.filter(({ columns: own }) => own.includes(column)).map((key) => reference(key, names)),
  ];
  const body =
    Object.keys(columns).length === 0
      ? html`<p>No column is known: only the database could tell.</p>`
      : table({
          caption: html`<span class="hidden">Columns of ${name}</span>`,
          rows: Object.entries(columns),
          columns: [
            { heading: "Column", cell: ([column]) => html`${code(column)}` },
            { heading: "Type", cell: ([, type]) => typeName(type) },
            { heading: "Key", cell: ([column]) => keys(column) },
          ],
        });
  return html`<article class="table" id="${tableId(name)}">
<h3>${code(name)}</h3>
${body}<ul class="notes">${facts.filter(Boolean).map((fact) => html`<li>${fact}</li>`)}</ul>
${indexList(indexes)}</article>
`;
}

function reference({ columns, references, onDelete }: ForeignKey, names: ReadonlySet<string>): Html {
  const target = names.has(references) ? link(tableId(references), references) : code(references);
  const together = columns.length > 1 && ` together with its ${columns.length} columns`;
  const action = deleteActions[onDelete];
  return html`<p>refers to ${target}${together}${action && html` <span class="quiet">on delete ${action.toLowerCase()}</span>`}</p>`;
}

function link(id: string, name: string): Html {
  return html`<a href="#${id}">${code(name)}</a>`;
}

function indexList(indexes: TableDetails["indexes"]): Content {
  const all = Object.entries(indexes);
  if (all.length === 0) return null;
  const parts = (columns: readonly (string | null)[]) => columns.map((column) => column ?? "an expression").join(", ");
  return html`<details><summary>${all.length === 1 ? "1 index" : `${all.length} indexes`}</summary>
<ul class="notes">${all.map(([name, columns]) => html`<li>${code(name)} on ${parts(columns)}</li>`)}</ul></details>
`;
}
