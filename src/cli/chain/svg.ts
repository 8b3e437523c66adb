import { Graph, layout, type NodeLabel } from "@dagrejs/dagre";
import { tableChanges } from "../../lockfile/table-changes.ts";
import type { RevisionView } from "./view.ts";

/** Sizes in pixels; a character's is that of the style's fonts, rounded up. */
const size = { character: 7.4, line: 18, padding: 12, margin: 16, minWidth: 240 } as const;

const style = `
  .page { fill: #ffffff } .box { fill: #f6f8fa; stroke: #57606a } .edge { fill: none; stroke: #57606a }
  .tip { fill: #57606a } text { fill: #1f2328; font: 12px ui-monospace, Menlo, Consolas, monospace }
  .id { font-weight: bold } .less { fill: #57606a } .latest .box { stroke: #0969da; stroke-width: 2 }
  .pending .box { stroke-dasharray: 5 3 } .current .box { fill: #dafbe1 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .box { fill: #161b22; stroke: #9198a1 } .edge { stroke: #9198a1 } .tip { fill: #9198a1 }
    text { fill: #f0f6fc } .less { fill: #9198a1 } .latest .box { stroke: #4493f8 } .current .box { fill: #12361f }
  }`;

/** @returns The chain's picture as one SVG without anything outside of it, bases at the top. */
export function drawSvg(revisions: readonly RevisionView[], description: string): string {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 32, ranksep: 36, marginx: size.margin, marginy: size.margin });
  for (const revision of revisions) graph.setNode(revision.id, boxOf(revision));
  for (const { id, downRevisions, dependsOn } of revisions)
    for (const down of [...downRevisions, ...dependsOn]) graph.setEdge(down, id, {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const edges = graph.edges().map((edge: { v: string; w: string }) => drawEdge(graph.edge(edge) as Edge));
  const boxes = revisions.map((revision) => drawBox(revision, graph.node(revision.id)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" ` +
      `height="${round(height)}" role="img" aria-labelledby="title description">`,
    '<title id="title">Chain of revisions</title>',
    `<desc id="description">${escaped([description, ...revisions.map(inWords)].join(". "))}.</desc>`,
    `<style>${style}\n</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">' +
      '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    '<rect class="page" width="100%" height="100%"/>',
    ...edges,
    ...boxes,
    "</svg>",
  ].join("\n")}\n`;
}

/** @returns The lines of a revision's box, the first its id. */
function textOf(revision: RevisionView): string[] {
  const { position, id, title, day, tables } = revision;
  const about = [title, ...(day === null ? [] : [day])].join(", ");
  return [`${position}  ${id}`, about, ...tableChanges(tables).flatMap(broken), ...marks(revision)];
}

/** @returns A list of tables, a table a line. */
function broken(phrase: string): string[] {
  return phrase.split(/(?<=,) /).map((line, index) => (index === 0 ? line : `  ${line}`));
}

function marks({ latest, current, status }: RevisionView): string[] {
  const args = [...(latest ? ["latest"] : []), ...(current ? ["the database is here"] : []), status ?? []].flat();
  return args.length > 0 ? [args.join(", ")] : [];
}

function inWords({ downRevisions, ...revision }: RevisionView): string {
  const after = downRevisions.length > 0 ? `after ${downRevisions.join(" and ")}` : "the first";
  return [
    `${revision.id} (${revision.title}), ${after}`,
    ...tableChanges(revision.tables),
    ...marks({ downRevisions, ...revision }),
  ].join(", ");
}

function boxOf(revision: RevisionView): NodeLabel {
  const lines = textOf(revision);
  const longest = Math.max(...lines.map(({ length }) => length));
  return {
    width: Math.max(size.minWidth, longest * size.character + 2 * size.padding),
    height: lines.length * size.line + 2 * size.padding - 4,
  };
}

function drawBox(revision: RevisionView, { x = 0, y = 0, width, height }: NodeLabel): string {
  const { latest, current, status } = revision;
  const classes = [...(latest ? ["latest"] : []), ...(current ? ["current"] : []), ...(status ? [status] : [])];
  const [left, top] = [x - width / 2, y - height / 2];
  const lines = textOf(revision).map((line, index) => {
    const baseline = top + size.padding + 10 + index * size.line;
    const kind = index === 0 ? "id" : index === 1 ? "" : "less";
    return `<text class="${kind}" x="${round(left + size.padding)}" y="${round(baseline)}" xml:space="preserve">${escaped(line)}</text>`;
  });
  return [
    `<g class="${classes.join(" ")}">`,
    `<rect class="box" x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" rx="6"/>`,
    ...lines,
    "</g>",
  ].join("");
}

/** What of an edge the layout sets. */
interface Edge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

function drawEdge({ points }: Edge): string {
  const path = points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join("");
  return `<path class="edge" d="${path}" marker-end="url(#tip)"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
