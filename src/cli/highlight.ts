import { styleText } from "node:util";

/** How a part of a text is shown where colours are: what they say, the words say too. */
export type Format = Parameters<typeof styleText>[0];

/** What a part of a line looks like, and how it is shown. Of several that fit, the first one counts. */
export type Highlight = readonly [pattern: RegExp, format: Format];

/** Formats by what they say. */
export const formats = {
  heading: "bold",
  good: "green",
  attention: "yellow",
  bad: ["red", "bold"],
  aside: "dim",
} as const satisfies Record<string, Format>;

/** @returns How the sentence stands out that says where the database is, by what the command ends with. */
export function stateMessage(exitCode: number): Highlight {
  return [
    /^(Database|alembic_version|No running workload|Can't) .*/,
    [formats.good, formats.attention][exitCode] ?? formats.bad,
  ];
}

/**
 * @param stream Where the text goes: it has colours on a terminal only, by NO_COLOR and FORCE_COLOR
 * (https://no-color.org, https://force-color.org).
 * @returns The text with the first part of each line shown that a highlight fits.
 */
export function highlight(
  text: string,
  highlights: readonly Highlight[],
  stream: NodeJS.WritableStream = process.stdout,
): string {
  if (highlights.length === 0) return text;
  return text
    .split("\n")
    .map((line) => {
      const [pattern, format] = highlights.find(([each]) => each.test(line)) ?? [];
      if (pattern === undefined || format === undefined) return line;
      return line.replace(pattern, (part) => styleText(format, part, { stream }));
    })
    .join("\n");
}
