import type { TableDetails } from "../../chain/schema.ts";
import { boxOf, widthOf } from "./boxes.ts";
import { groupsOf, layOutGroup } from "./group.ts";
import { type Line, lineOf, type PlacedBox, type Point } from "./line.ts";

/** Positions of tables and references, in pixels from the top left. */
export interface Diagram {
  readonly width: number;
  readonly height: number;
  /** Width of every box. */
  readonly boxWidth: number;
  readonly boxes: readonly PlacedBox[];
  readonly lines: readonly Line[];
}

/** Pixels around the diagram, and between groups. */
const space = { margin: 8, group: 36 } as const;

/** Maximum width of groups side by side; a wider group has a row of its own. */
const maxWidth = 1200;

/** Lays out tables and references. Boxes don't overlap, and lines cross no boxes. */
export function layOut(tables: readonly TableDetails[]): Diagram {
  const boxes = tables.map(boxOf);
  const boxWidth = widthOf(boxes);
  const groups = groupsOf(tables).map((group) => layOutGroup(group, boxes, boxWidth));
  const { width, height, positions } = pack(groups, maxWidth, space.group);
  const moved = groups.map((group, index) => {
    const { x = 0, y = 0 } = positions[index] ?? {};
    const move = <P extends Point>(point: P) => {
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
    boxes: moved.flatMap((group) => group.boxes),
    lines: moved.flatMap((group) => group.lines),
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Packs rectangles on shelves, highest first. Each shelf has the height of its first rectangle.
 *
 * @param maxWidth - Maximum width of a shelf; a wider rectangle has a shelf of its own.
 * @param gap - Space between rectangles.
 * @returns The size of the whole, and the top left corner of each rectangle.
 */
export function pack(
  sizes: readonly Size[],
  maxWidth: number,
  gap: number,
): Size & { readonly positions: readonly Point[] } {
  const limit = sizes.reduce((most, { width }) => Math.max(most, width), maxWidth);
  const order = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size.height - a.size.height);
  const positions: Point[] = [];
  let [x, y, shelf, width] = [0, 0, 0, 0];
  for (const { size, index } of order) {
    if (x > 0 && x + size.width > limit) [x, y, shelf] = [0, y + shelf + gap, 0];
    positions[index] = { x, y };
    width = Math.max(width, x + size.width);
    x += size.width + gap;
    shelf = Math.max(shelf, size.height);
  }
  return { width, height: y + shelf, positions };
}
