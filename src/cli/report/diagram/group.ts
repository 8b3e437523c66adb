import { Graph, layout } from "@dagrejs/dagre";
import type { TableDetails } from "../../chain/schema.ts";
import { type Box, centerOf } from "./boxes.ts";
import { loopWidth, type PlacedBox, type Point, type Reference, type Route } from "./line.ts";

/** Tables that references connect, with positions of their own. */
export interface Group {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly routes: readonly Route[];
}

/** Pixels between columns of boxes, between boxes in a column, and between a box and a passing line. */
const space = { ranksep: 80, nodesep: 24, edgesep: 14 } as const;

/** A reference with the name of its edge in the graph. */
interface Edge extends Reference {
  readonly key: string;
}

/** Groups tables that references connect, largest group first. Tables keep their order. */
export function groupsOf(tables: readonly TableDetails[]): readonly (readonly TableDetails[])[] {
  const neighbors = new Map<string, string[]>(tables.map(({ name }) => [name, []]));
  for (const { name, foreignKeys } of tables) {
    for (const { references } of foreignKeys) {
      if (!neighbors.has(references)) continue;
      neighbors.get(name)?.push(references);
      neighbors.get(references)?.push(name);
    }
  }
  const groups = new Map<string, string>();
  for (const { name: first } of tables) {
    const open = groups.has(first) ? [] : [first];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (groups.has(name)) continue;
      groups.set(name, first);
      open.push(...(neighbors.get(name) ?? []));
    }
  }
  const members = [...Map.groupBy(tables, ({ name }) => groups.get(name)).values()];
  return members.sort((one, other) => other.length - one.length);
}

/** Lays out a group from left to right, from referenced tables to those that reference them. */
export function layOutGroup(tables: readonly TableDetails[], all: readonly Box[], boxWidth: number): Group {
  const primaryKeys = new Map(tables.map(({ name, primaryKey }) => [name, primaryKey]));
  const boxes = all.filter(({ table }) => primaryKeys.has(table));
  const edges = edgesOf(tables);
  const graph = layOutGraph(boxes, edges, boxWidth);
  const placed = new Map(boxes.map((box) => [box.table, placeBox(box, graph.node(box.table) as Point, boxWidth)]));
  const columns = new Set([...placed.values()].map(({ x }) => Math.round(x + boxWidth / 2)));
  const port = (table: string, column: string | undefined, direction: number): Point => {
    const box = placed.get(table);
    if (box === undefined) throw new Error(`${table} has no position`);
    return { x: box.x + (direction > 0 ? boxWidth : 0), y: box.y + centerOf(box, column) };
  };
  const routes = edges.map(({ key, from, columns: own, to }): Route => {
    const isLoop = from === to;
    const [x = 0, otherX = 0] = [placed.get(from)?.x, placed.get(to)?.x];
    const direction = isLoop || x < otherX ? 1 : -1;
    const primaryKey = primaryKeys.get(to) ?? [];
    const target = primaryKey.length === 1 ? primaryKey[0] : undefined;
    const bends = isLoop ? [] : (graph.edge(to, from, key) as { points: readonly Point[] }).points;
    const passed = bends.slice(1, -1).filter((bend) => columns.has(Math.round(bend.x)));
    const pairs = passed.reverse().flatMap((bend) => [
      { x: bend.x - (direction * boxWidth) / 2, y: bend.y },
      { x: bend.x + (direction * boxWidth) / 2, y: bend.y },
    ]);
    const points = [port(from, own[0], direction), ...pairs, port(to, target, isLoop ? direction : -direction)];
    return { from, columns: own, to, points };
  });
  return moveToOrigin([...placed.values()], routes, boxWidth);
}

/** Returns the references between the tables. */
function edgesOf(tables: readonly TableDetails[]): readonly Edge[] {
  const names = new Set(tables.map(({ name }) => name));
  return tables.flatMap(({ name: from, foreignKeys }) =>
    foreignKeys
      .filter(({ references }) => names.has(references))
      .map(({ name, columns, references: to }) => ({ key: name, from, columns, to })),
  );
}

function layOutGraph(boxes: readonly Box[], edges: readonly Edge[], boxWidth: number): Graph {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", ...space });
  for (const { table, height } of boxes) graph.setNode(table, { width: boxWidth, height });
  for (const { key, from, to } of edges) if (from !== to) graph.setEdge(to, from, {}, key);
  layout(graph);
  return graph;
}

function placeBox(box: Box, { x, y }: Point, boxWidth: number): PlacedBox {
  return { ...box, x: x - boxWidth / 2, y: y - box.height / 2 };
}

/** Moves a group so that its outermost parts, boxes or lines, are at 0. */
function moveToOrigin(boxes: readonly PlacedBox[], routes: readonly Route[], boxWidth: number): Group {
  const loops = routes.some(({ from, to }) => from === to) ? loopWidth : 0;
  const ys = [
    ...boxes.flatMap(({ y, height }) => [y, y + height]),
    ...routes.flatMap(({ points }) => points.map(({ y }) => y)),
  ];
  const xs = boxes.flatMap(({ x }) => [x, x + boxWidth]);
  const minimum = (values: readonly number[]) => values.reduce((one, other) => Math.min(one, other), Infinity);
  const maximum = (values: readonly number[]) => values.reduce((one, other) => Math.max(one, other), -Infinity);
  const [left, top] = [minimum(xs), minimum(ys)];
  const move = <P extends Point>(point: P): P => ({ ...point, x: point.x - left, y: point.y - top });
  return {
    width: maximum(xs) - left + loops,
    height: maximum(ys) - top,
    boxes: boxes.map(move),
    routes: routes.map((route) => ({ ...route, points: route.points.map(move) })),
  };
}
