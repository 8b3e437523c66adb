/** A revision and those before it. */
interface Link {
  readonly id: string;
  readonly downRevisions: readonly string[];
}

/** The lines of a graph's picture that belong to one revision. Text may follow each. */
export interface Lanes {
  readonly id: string;
  /** Lines in which branches join. */
  readonly before: readonly string[];
  /** The line of the revision itself. */
  readonly line: string;
  /** Line beside further lines of its text. */
  readonly beside: string;
  /** Lines in which branches fork. */
  readonly after: readonly string[];
  /** Line between it and the next revision. */
  readonly below: string;
}

/** The open lanes at one place: the ID of the revision that each leads to. */
type Open = (string | undefined)[];

/**
 * Draws a chain's branches as columns, from the bases down to the heads, in ASCII:
 *
 * ```
 * *      base
 * +-.
 * | *    one branch
 * * |    the other
 * +-'
 * *      merge
 * ```
 *
 * @param links - Revisions in an order of application.
 * @param glyph - Returns one character for a revision.
 */
export function drawLanes(links: readonly Link[], glyph: (id: string) => string): Lanes[] {
  const followers = new Map<string, string[]>();
  for (const { id, downRevisions } of links) {
    for (const down of downRevisions) followers.set(down, [...(followers.get(down) ?? []), id]);
  }
  const open: Open = [];
  return links.map(({ id }) => {
    const before = join(open, id);
    const own = open.includes(id) ? open.indexOf(id) : freeLane(open);
    const [first, ...others] = followers.get(id) ?? [];
    open[own] = id;
    const line = verticals(open, own, glyph(id));
    open[own] = first;
    const beside = verticals(open);
    const after = others.map((follower) => fork(open, own, follower));
    return { id, before, line, beside, after, below: verticals(open) };
  });
}

/** Closes all lanes that lead to a revision except the first, and returns a line for each. */
function join(open: Open, id: string): string[] {
  const [first, ...others] = open.flatMap((target, lane) => (target === id ? [lane] : []));
  return others.map((lane) => {
    const line = crossing(open, first ?? 0, lane, "'");
    open[lane] = undefined;
    return line;
  });
}

/** Opens a lane to another follower of the revision on lane `own`. */
function fork(open: Open, own: number, follower: string): string {
  const lane = freeLane(open, own + 1);
  open[lane] = follower;
  return crossing(open, own, lane, ".");
}

/** Returns the first free lane from `from` on. */
function freeLane(open: Open, from = 0): number {
  for (let lane = from; lane < open.length; lane++) if (open[lane] === undefined) return lane;
  return Math.max(open.length, from);
}

/** Returns a line of all open lanes, with `mark` on lane `own`. */
function verticals(open: Open, own = -1, mark = ""): string {
  const cells = Array.from(open, (target, lane) => (lane === own ? mark : target === undefined ? " " : "|"));
  return cells.join(" ").trimEnd();
}

/** Returns a line that connects lane `to` to lane `from`, left of it, across those between. */
function crossing(open: Open, from: number, to: number, corner: string): string {
  const cells = Array.from(open, (target, lane) => {
    if (lane === from) return "+";
    if (lane === to) return corner;
    if (target !== undefined) return "|";
    return lane > from && lane < to ? "-" : " ";
  });
  return cells.reduce((line, cell, lane) => `${line}${lane > from && lane <= to ? "-" : " "}${cell}`).trimEnd();
}
