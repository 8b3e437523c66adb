import { deleteActions, type ForeignKey } from "../../../lockfile/schema/schema.ts";
import { pluralize } from "../../../pluralize.ts";
import type { TableDetails } from "../../chain/schema.ts";
import { typeName } from "../diagram/boxes.ts";
import { draw } from "../diagram/draw.ts";
import { layOut } from "../diagram/layout.ts";
import { type Content, type Html, html } from "../html.ts";
import { code, codes, revisionId, table, tableId } from "../parts.ts";
import type { Report } from "../report.ts";

/** Maximum tables in the diagram: more are unreadable, and take seconds to lay out. */
const diagramLimit = 200;

/** Renders the release's tables, as a diagram and as entries. */
export function schemaSection({ tables, heads }: Report): Content {
  const names = new Set(tables.map(({ name }) => name));
  return [
    html`<p>${pluralize(tables.length, "table")} at ${codes(heads)}, from the SQL in the lockfile. The check <code>schema</code> compares them with the database.</p>`,
    diagram(tables),
    html`<div class="tables" id="tables">${tables.map((each) => entry(each, names, tables))}</div>`,
  ];
}

function diagram(tables: readonly TableDetails[]): Content {
  if (tables.length === 0) return null;
  if (tables.length > diagramLimit)
    return html`<p>${tables.length} tables are too many for a diagram. The entries below list all of them.</p>`;
  const size = (id: string, label: string, checked: Content = null) =>
    html`<label><input type="radio" name="size" id="${id}"${checked}> ${label}</label>`;
  return html`<p class="skip-part"><a href="#tables">Skip the diagram</a></p>
<figure class="schema">
<figcaption>Lines connect foreign keys to the tables that they reference. PK: primary key, FK: foreign key. Tables link to their entries below.</figcaption>
<fieldset><legend>Size</legend>${size("size-fit", "fit page", html` checked`)} ${size("size-full", "full")}</fieldset>
<div class="viewport" role="region" aria-label="Scrollable diagram of the tables" tabindex="0">${draw(layOut(tables))}</div>
</figure>
`;
}

function entry(details: TableDetails, names: ReadonlySet<string>, tables: readonly TableDetails[]): Html {
  const { name, createdBy, indexes } = details;
  const facts = [html`created by ${link(revisionId(createdBy), createdBy)}`];
  const referrers = tables.filter(({ foreignKeys }) => foreignKeys.some(({ references }) => references === name));
  if (referrers.length > 0) {
    const links = referrers.map((each, index) => html`${index > 0 && ", "}${link(tableId(each.name), each.name)}`);
    facts.push(html`referenced by ${links}`);
  }
  return html`<article class="table" id="${tableId(name)}">
<h3>${code(name)}</h3>
${columnTable(details, names)}<ul class="notes">${facts.map((fact) => html`<li>${fact}</li>`)}</ul>
${indexList(indexes)}</article>
`;
}

function columnTable(details: TableDetails, names: ReadonlySet<string>): Html {
  const { name, columns, primaryKey, foreignKeys } = details;
  if (Object.keys(columns).length === 0) return html`<p>Columns unknown without a database.</p>`;
  const keys = (column: string): Content => [
    primaryKey.includes(column) && html`<p>primary key</p>`,
    foreignKeys.filter((key) => key.columns.includes(column)).map((key) => reference(key, names)),
  ];
  return table({
    caption: html`<span class="hidden">Columns of ${name}</span>`,
    rows: Object.entries(columns),
    columns: [
      { heading: "Column", cell: ([column]) => code(column) },
      { heading: "Type", cell: ([, type]) => typeName(type) },
      { heading: "Key", cell: ([column]) => keys(column) },
    ],
  });
}

function reference({ columns, references, onDelete }: ForeignKey, names: ReadonlySet<string>): Html {
  const target = names.has(references) ? link(tableId(references), references) : code(references);
  const composite = columns.length > 1 && ` (composite key of ${columns.length} columns)`;
  const action = deleteActions[onDelete];
  return html`<p>references ${target}${composite}${action && html` <span class="quiet">on delete ${action.toLowerCase()}</span>`}</p>`;
}

function link(id: string, name: string): Html {
  return html`<a href="#${id}">${code(name)}</a>`;
}

function indexList(indexes: TableDetails["indexes"]): Content {
  const all = Object.entries(indexes);
  if (all.length === 0) return null;
  const parts = (columns: readonly (string | null)[]) => columns.map((column) => column ?? "an expression").join(", ");
  return html`<details><summary>${pluralize(all.length, "index")}</summary>
<ul class="notes">${all.map(([name, columns]) => html`<li>${code(name)} on ${parts(columns)}</li>`)}</ul></details>
`;
}
