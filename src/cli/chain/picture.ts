import { tableChanges } from "../../lockfile/describe.ts";
import { plain, type Style } from "../highlight.ts";
import { drawLanes } from "./lanes.ts";
import type { RevisionView } from "./view.ts";

const glyphs = { applied: "*", pending: "o" } as const;

/** Returns the lines of the chain's picture in ASCII, bases at the top. */
export function drawPicture(revisions: readonly RevisionView[], style: Style = plain): string[] {
  const byId = new Map(revisions.map((revision) => [revision.id, revision]));
  const lanes = drawLanes(revisions, (id) => glyphs[byId.get(id)?.status ?? "applied"]);
  const widths = lanes.flatMap(({ before, line, after }) => [...before, line, ...after].map(({ length }) => length));
  const margin = Math.max(0, ...widths) + 2;
  const rows = alignColumns(revisions.map(({ position, id, title }) => [String(position), id, title]));
  const lines: string[] = [];
  for (const [index, { id, before, line, beside, after, below }] of lanes.entries()) {
    const revision = byId.get(id);
    if (revision === undefined) continue;
    lines.push(...before, [line.padEnd(margin) + rows[index], revision.day ?? "", markOf(revision, style)].join("  "));
    for (const detail of detailsOf(revision)) lines.push(`${beside.padEnd(margin)}    ${detail}`);
    lines.push(...after);
    if (index < lanes.length - 1) lines.push(below);
  }
  const isQueried = revisions.some(({ status }) => status !== null);
  if (isQueried) lines.push("", style("aside", "* applied   o pending"));
  return lines.map((line) => line.trimEnd());
}

function markOf({ latest, current }: RevisionView, style: Style): string {
  const marks: string[] = [];
  if (latest) marks.push("latest");
  if (current) marks.push("current");
  return marks.length > 0 ? style("heading", `<== ${marks.join(", ")}`) : "";
}

function detailsOf({ tables, dependsOn, reversible }: RevisionView): string[] {
  const details = [...tableChanges(tables)];
  if (dependsOn.length > 0) details.push(`depends on ${dependsOn.join(", ")}`);
  if (reversible === false) details.push("can't be undone");
  return details;
}

/** Returns rows with aligned columns, the first one right-aligned. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((text, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? text.padStart(width) : text.padEnd(width);
    });
    return cells.join("  ");
  });
}
