import { randomBytes } from "node:crypto";
import { styleText } from "node:util";
import { printable } from "../printable.ts";

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

/** Marks the parts to format until the text is printed. Random, so that no text from outside contains it. */
const nonce = randomBytes(8).toString("hex");
const mark = (format: string) => `\u001b]${nonce};${format}\u0007`;
const marks = new RegExp(`\u001b\\]${nonce};(\\w*)\u0007`);

/**
 * Formats texts for standard output: with color on a terminal only, by `NO_COLOR` and `FORCE_COLOR`
 * (https://no-color.org, https://force-color.org). {@link terminalText} replaces the marks.
 */
export const styled: Style = (format, text) =>
  styleText(formats[format], "") === "" ? text : `${mark(format)}${text}${mark("")}`;

/** Returns a text as it is printed: without hidden characters and commands, but with the formats of {@link styled}. */
export function terminalText(text: string): string {
  let format: string | undefined;
  const parts = text.split(marks).map((part, index) => {
    if (index % 2 === 0) return isFormat(format) ? styleText(formats[format], printable(part)) : printable(part);
    format = part;
    return "";
  });
  return parts.join("");
}

function isFormat(name: string | undefined): name is keyof typeof formats {
  return name !== undefined && Object.hasOwn(formats, name);
}

/** Returns the format of the message on the database's state, by the exit code of the command that prints it. */
export function stateFormat(exitCode: number): keyof typeof formats {
  return (["good", "attention"] as const)[exitCode] ?? "bad";
}

/** A pattern for a part of a line, and its format. The first pattern that matches a line counts. */
export type Highlight = readonly [pattern: RegExp, format: Format];

/** Returns the highlight of the message on the database's state. */
export function stateMessage(exitCode: number): Highlight {
  const message = /^((Database|No running workload|Can't) |\S+ has overlapping revisions: ).*/;
  return [message, formats[stateFormat(exitCode)]];
}

/** Formats the parts of a printable text from another room that highlights match, as {@link styled} does. */
export function highlight(text: string, highlights: readonly Highlight[]): string {
  if (highlights.length === 0) return text;
  const lines = text.split("\n").map((line) => {
    const [pattern, format] = highlights.find(([each]) => each.test(line)) ?? [];
    if (pattern === undefined || format === undefined) return line;
    return line.replace(pattern, (part) => styleText(format, part));
  });
  return lines.join("\n");
}
