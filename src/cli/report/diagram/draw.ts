import { pluralize } from "../../../pluralize.ts";
import { type Html, html } from "../html.ts";
import { tableId } from "../parts.ts";
import { size } from "./boxes.ts";
import type { Diagram } from "./layout.ts";
import { type Line, type PlacedBox, round } from "./line.ts";

/** Draws a diagram as SVG. Screen readers skip its columns, which the linked entries have. */
export function draw({ width, height, boxWidth, boxes, lines }: Diagram): Html {
  const label = `Diagram: ${pluralize(boxes.length, "table")}, ${pluralize(lines.length, "reference")}`;
  return html`<svg class="diagram" role="group" aria-label="${label}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="9" markerHeight="9" orient="auto"><path class="tip" d="M0 0.5 8 4 0 7.5z"/></marker></defs>
<g aria-hidden="true">${lines.map(drawLine)}</g>
${boxes.map((box) => drawBox(box, boxWidth, lines))}
</svg>`;
}

function drawLine({ from, columns, to, start, path }: Line): Html {
  return html`<path class="line" d="${path}" marker-end="url(#tip)" data-from="${from}" data-columns="${columns.join(",")}" data-to="${to}"/><circle class="tip" cx="${round(start.x)}" cy="${round(start.y)}" r="3"/>
`;
}

function drawBox({ table, label, rows, x, y, height }: PlacedBox, width: number, lines: readonly Line[]): Html {
  const [left, top] = [round(x), round(y)];
  const right = left + width - size.padding;
  const columns = rows.map(({ label, type, primary, foreign }, index) => {
    const baseline = round(y + size.header + 4 + index * size.row + 14);
    const key = [primary && "PK", foreign && "FK"].filter(Boolean).join(" ");
    return html`<text class="${key === "" ? "column" : "column key"}" x="${left + size.padding}" y="${baseline}">${label}</text><text class="type" x="${right - size.mark}" y="${baseline}">${type}</text>${key && html`<text class="mark" x="${right}" y="${baseline}">${key}</text>`}`;
  });
  const head = `M${left} ${top + size.header}v-${size.header - 6}a6 6 0 0 1 6 -6h${width - 12}a6 6 0 0 1 6 6v${size.header - 6}z`;
  return html`<g class="box" data-table="${table}"><g aria-hidden="true"><rect class="frame" x="${left}" y="${top}" width="${width}" height="${height}" rx="6"/>${columns}</g><a href="#${tableId(table)}" aria-label="${describe(table, rows.length, lines)}"><path class="head" d="${head}"/><text class="name" x="${left + size.padding}" y="${top + 20}">${label}</text></a></g>
`;
}

/** Describes a table for screen readers. */
function describe(table: string, columns: number, lines: readonly Line[]): string {
  const references = [...new Set(lines.filter(({ from }) => from === table).map(({ to }) => to))];
  const referrers = new Set(lines.filter(({ to }) => to === table).map(({ from }) => from)).size;
  const parts = [table, pluralize(columns, "column")];
  if (references.length > 0) parts.push(`references ${references.join(", ")}`);
  if (referrers > 0) parts.push(`referenced by ${pluralize(referrers, "table")}`);
  return parts.join(", ");
}
