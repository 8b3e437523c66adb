import { Graph, layout } from "@dagrejs/dagre";
import type { TableDetails } from "../../chain/schema.ts";
import { type Box, middleOf } from "./boxes.ts";
import { loopWidth, type PlacedBox, type Point, type Reference, type Route } from "./line.ts";

/** Tables that references join, in a plane of their own. */
export interface Group {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly routes: readonly Route[];
}

/** Between columns of boxes, between the boxes of one, and between a box and a line that passes it. */
const space = { ranksep: 80, nodesep: 24, edgesep: 14 } as const;

/** A reference with the name of its line in the graph. */
interface Edge extends Reference {
  readonly key: string;
}

/** @returns A group laid out from the left, what is referred to, to the right. */
export function layOutGroup(tables: readonly TableDetails[], all: readonly Box[], boxWidth: number): Group {
  const primaryKeys = new Map(tables.map(({ name, primaryKey }) => [name, primaryKey]));
  const boxes = all.filter(({ table }) => primaryKeys.has(table));
  const edges = edgesOf(tables);
  const graph = laidOut(boxes, edges, boxWidth);
  const placed = new Map(boxes.map((box) => [box.table, placedBox(box, graph.node(box.table) as Point, boxWidth)]));
  const columns = new Set([...placed.values()].map(({ x }) => Math.round(x + boxWidth / 2)));
  const port = (table: string, column: string | undefined, direction: number): Point => {
    const box = placed.get(table);
    if (box === undefined) throw new Error(`${table} has no place`);
    return { x: box.x + (direction > 0 ? boxWidth : 0), y: box.y + middleOf(box, column) };
  };
  const routes = edges.map(({ key, from, columns: own, to }): Route => {
    const [x = 0, otherX = 0] = [placed.get(from)?.x, placed.get(to)?.x];
    const direction = from === to || x < otherX ? 1 : -1;
    const primaryKey = primaryKeys.get(to) ?? [];
    const target = primaryKey.length === 1 ? primaryKey[0] : undefined;
    const bends = from === to ? [] : (graph.edge(to, from, key) as { points: readonly Point[] }).points;
    const passed = bends.slice(1, -1).filter((bend) => columns.has(Math.round(bend.x)));
    const pairs = passed.reverse().flatMap((bend) => [
      { x: bend.x - (direction * boxWidth) / 2, y: bend.y },
      { x: bend.x + (direction * boxWidth) / 2, y: bend.y },
    ]);
    const points = [port(from, own[0], direction), ...pairs, port(to, target, from === to ? direction : -direction)];
    return { from, columns: own, to, points };
  });
  return fromTheCorner([...placed.values()], routes, boxWidth);
}

/** @returns The references among the tables themselves. */
function edgesOf(tables: readonly TableDetails[]): readonly Edge[] {
  const names = new Set(tables.map(({ name }) => name));
  return tables.flatMap(({ name: from, foreignKeys }) =>
    foreignKeys
      .filter(({ references }) => names.has(references))
      .map(({ name, columns, references: to }) => ({ key: name, from, columns, to })),
  );
}

function laidOut(boxes: readonly Box[], edges: readonly Edge[], boxWidth: number): Graph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ...space });
  for (const { table, height } of boxes) graph.setNode(table, { width: boxWidth, height });
  for (const { key, from, to } of edges) if (from !== to) graph.setEdge(to, from, {}, key);
  layout(graph);
  return graph;
}

function placedBox(box: Box, { x, y }: Point, boxWidth: number): PlacedBox {
  return { ...box, x: x - boxWidth / 2, y: y - box.height / 2 };
}

/** @returns The group with its outermost parts at 0: lines may pass above the boxes. */
function fromTheCorner(boxes: readonly PlacedBox[], routes: readonly Route[], boxWidth: number): Group {
  const loops = routes.some(({ from, to }) => from === to) ? loopWidth : 0;
  const ys = [
    ...boxes.flatMap(({ y, height }) => [y, y + height]),
    ...routes.flatMap(({ points }) => points.map(({ y }) => y)),
  ];
  const xs = boxes.flatMap(({ x }) => [x, x + boxWidth]);
  const least = (values: readonly number[]) => values.reduce((one, other) => Math.min(one, other), Infinity);
  const most = (values: readonly number[]) => values.reduce((one, other) => Math.max(one, other), -Infinity);
  const [left, top] = [least(xs), least(ys)];
  const move = <P extends Point>(point: P): P => ({ ...point, x: point.x - left, y: point.y - top });
  return {
    width: most(xs) - left + loops,
    height: most(ys) - top,
    boxes: boxes.map(move),
    routes: routes.map((route) => ({ ...route, points: route.points.map(move) })),
  };
}
