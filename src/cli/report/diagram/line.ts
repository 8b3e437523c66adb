import type { Box } from "./boxes.ts";

/** A point in pixels from the top left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box with its top left corner. */
export interface PlacedBox extends Box, Point {}

/** A foreign key: a table, its columns, and the table that they reference. */
export interface Reference {
  readonly from: string;
  readonly columns: readonly string[];
  readonly to: string;
}

/** The path of a reference from border to border. Pairs of points in between pass other boxes. */
export interface Route extends Reference {
  readonly points: readonly Point[];
}

/** A reference in the diagram. */
export interface Line extends Reference {
  readonly start: Point;
  /** The attribute `d` of a path. */
  readonly path: string;
}

/** How far the line of a table that references itself extends to the right. */
export const loopWidth = 34;

/** Returns a line that is straight where it passes boxes, and curved in between. */
export function lineOf({ points, ...reference }: Route): Line {
  const [start = { x: 0, y: 0 }] = points;
  const parts = points.slice(1).map((point, index) => {
    const before = points[index] ?? start;
    if (index % 2 === 1) return `L${at(point)}`;
    const middle = reference.from === reference.to ? start.x + loopWidth : (before.x + point.x) / 2;
    return `C${at({ x: middle, y: before.y })} ${at({ x: middle, y: point.y })} ${at(point)}`;
  });
  return { ...reference, start, path: `M${at(start)}${parts.join("")}` };
}

function at({ x, y }: Point): string {
  return `${round(x)} ${round(y)}`;
}

/** Rounds a coordinate to tenths of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
