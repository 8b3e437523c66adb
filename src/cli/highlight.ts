import { styleText } from "node:util";

/** A format of `util.styleText`. */
type Format = Parameters<typeof styleText>[0];

/** Formats by their meaning, which the words carry as well. */
export const formats = {
  heading: "bold",
  good: "green",
  attention: "yellow",
  bad: ["red", "bold"],
  aside: "dim",
} as const satisfies Record<string, Format>;

/** A function that formats a text. */
export type Style = (format: keyof typeof formats, text: string) => string;

/** Leaves texts as they are. */
export const plain: Style = (_format, text) => text;

/**
 * Formats texts for standard output: with color on a terminal only, by `NO_COLOR` and `FORCE_COLOR`
 * (https://no-color.org, https://force-color.org).
 */
export const styled: Style = (format, text) => styleText(formats[format], text);

/** Returns the format of the message on the database's state, by the exit code of the command that prints it. */
export function stateFormat(exitCode: number): keyof typeof formats {
  return (["good", "attention"] as const)[exitCode] ?? "bad";
}

/** A pattern for a part of a line, and its format. The first pattern that matches a line counts. */
export type Highlight = readonly [pattern: RegExp, format: Format];

/** Returns the highlight of the message on the database's state. */
export function stateMessage(exitCode: number): Highlight {
  const message = /^(Database|alembic_version|No running workload|Can't) .*/;
  return [message, formats[stateFormat(exitCode)]];
}

/** Formats the parts of a text from another room that highlights match, as {@link styled} does. */
export function highlight(text: string, highlights: readonly Highlight[]): string {
  if (highlights.length === 0) return text;
  const lines = text.split("\n").map((line) => {
    const [pattern, format] = highlights.find(([each]) => each.test(line)) ?? [];
    if (pattern === undefined || format === undefined) return line;
    return line.replace(pattern, (part) => styleText(format, part));
  });
  return lines.join("\n");
}
