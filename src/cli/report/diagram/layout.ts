import type { TableDetails } from "../../chain/schema.ts";
import { boxOf, widthOf } from "./boxes.ts";
import { groupsOf } from "./groups.ts";
import { layOutGroup } from "./lay-out-group.ts";
import { type Line, lineOf, type PlacedBox } from "./line.ts";
import { pack } from "./pack.ts";

/** Tables and their references in a plane; in pixels, from the left and the top. */
export interface Diagram {
  readonly width: number;
  readonly height: number;
  /** Of every box. */
  readonly boxWidth: number;
  readonly boxes: readonly PlacedBox[];
  readonly lines: readonly Line[];
}

/** Around all, and between tables that no line joins. */
const space = { margin: 8, group: 36 } as const;

/** What is laid out side by side is at most this wide, unless one group alone needs more. */
const usualWidth = 1200;

/** @returns Where tables and lines go: no box lies on another, and no line crosses a box that it doesn't end at. */
export function layOut(tables: readonly TableDetails[]): Diagram {
  const boxes = tables.map(boxOf);
  const boxWidth = widthOf(boxes);
  const groups = groupsOf(tables).map((group) => layOutGroup(group, boxes, boxWidth));
  const { width, height, places } = pack(groups, usualWidth, space.group);
  const moved = groups.map((group, index) => {
    const { x = 0, y = 0 } = places[index] ?? {};
    const move = <P extends { x: number; y: number }>(point: P) => {
      return { ...point, x: point.x + x + space.margin, y: point.y + y + space.margin };
    };
    return {
      boxes: group.boxes.map(move),
      lines: group.routes.map((route) => lineOf({ ...route, points: route.points.map(move) })),
    };
  });
  return {
    width: Math.ceil(width) + 2 * space.margin,
    height: Math.ceil(height) + 2 * space.margin,
    boxWidth,
    boxes: moved.flatMap(({ boxes }) => boxes),
    lines: moved.flatMap(({ lines }) => lines),
  };
}
