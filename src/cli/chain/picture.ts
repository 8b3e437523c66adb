import { tableChanges } from "../../lockfile/describe.ts";
import { drawLanes } from "./lanes.ts";
import type { RevisionView } from "./view.ts";

/** How a revision's status looks. */
const glyphs = { applied: "*", pending: "o" } as const;

/** @returns The chain's picture in ASCII, a line each: bases at the top, heads at the bottom. */
export function drawPicture(revisions: readonly RevisionView[]): string[] {
  const byId = new Map(revisions.map((revision) => [revision.id, revision]));
  const lanes = drawLanes(revisions, (id) => glyphs[byId.get(id)?.status ?? "applied"]);
  const margin =
    Math.max(0, ...lanes.flatMap(({ before, line, after }) => [...before, line, ...after].map(length))) + 2;
  const rows = columns(revisions.map((revision) => [String(revision.position), revision.id, revision.title]));
  const lines = lanes.flatMap(({ id, before, line, beside, after, below }, index) => {
    const revision = byId.get(id);
    if (revision === undefined) return [];
    return [
      ...before,
      [line.padEnd(margin) + rows[index], revision.day ?? "", mark(revision)].join("  "),
      ...details(revision).map((text) => `${beside.padEnd(margin)}    ${text}`),
      ...after,
      ...(index < lanes.length - 1 ? [below] : []),
    ];
  });
  const asked = revisions.some(({ status }) => status !== null);
  return [...lines.map((line) => line.trimEnd()), ...(asked ? ["", "* applied   o pending"] : [])];
}

const length = (text: string) => text.length;

function mark({ latest, current }: RevisionView): string {
  const args = [...(latest ? ["latest"] : []), ...(current ? ["the database is here"] : [])];
  return args.length > 0 ? `<== ${args.join(", ")}` : "";
}

function details({ tables, dependsOn, reversible }: RevisionView): string[] {
  const needs = dependsOn.length > 0 ? [`needs ${dependsOn.join(", ")}`] : [];
  return [...tableChanges(tables), ...needs, ...(reversible === false ? ["can't be undone"] : [])];
}

/** @returns Each row's texts in columns, the first to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padStart(widths[0] ?? 0) : text.padEnd(widths[column] ?? 0)))
      .join("  "),
  );
}
