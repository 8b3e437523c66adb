import type { Box } from "./boxes.ts";

/** In pixels, from the left and the top. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A table in its place: its upper left corner. */
export interface PlacedBox extends Box, Point {}

/** A reference: from the columns of a foreign key to the table that they lead to. */
export interface Reference {
  readonly from: string;
  readonly columns: readonly string[];
  readonly to: string;
}

/** A reference's way through the plane: from border to border, by way of pairs between which it passes other boxes. */
export interface Route extends Reference {
  readonly points: readonly Point[];
}

/** A reference as it is drawn. */
export interface Line extends Reference {
  readonly start: Point;
  /** For the attribute `d` of a path. */
  readonly path: string;
}

/** How far the line of a table that refers to itself goes to the right. */
export const loopWidth = 34;

/** @returns A line that is straight where it passes boxes, and bends between. */
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
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
