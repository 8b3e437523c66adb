/** A fenced block of a Markdown page. */
export interface Block {
  /** First word after the fence: `sh`, `text`, `python`. */
  readonly language: string;
  /** The other words: `exits=1` is `{ exits: "1" }`, `walk` is `{ walk: "" }`. */
  readonly marks: Readonly<Record<string, string>>;
  readonly text: string;
}

/** @returns The blocks of a page, in order; what indents a fence, as in a list, is taken off its lines. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^( *)```(\w*)([^\n`]*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = "", language = "", ...rest]) => {
      const [args = "", text = ""] = rest;
      const marks = args.split(" ").filter((word) => word !== "");
      return {
        language,
        marks: Object.fromEntries(marks.map((mark) => [mark.split("=")[0], mark.split("=").slice(1).join("=")])),
        text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      };
    },
  );
}

/**
 * @param said What a page says one sees: `…` stands for any text of a line, a line of its own for any lines.
 * @param seen What was printed; how far lines are indented does not matter.
 * @returns The first line that isn't there, with those before it found in that order; `undefined` if all are.
 */
export function missingLine(said: string, seen: string): string | undefined {
  const lines = seen.split("\n").map((line) => line.trim());
  let next = 0;
  let anywhere = true;
  for (const line of said.split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    if (line === "…") {
      anywhere = true;
      continue;
    }
    const pattern = new RegExp(`^${line.split("…").map(literally).join(".*")}$`);
    const found = lines.findIndex((each, index) => index >= next && pattern.test(each));
    if (found < 0 || (!anywhere && lines.slice(next, found).some((each) => each !== ""))) return line;
    [next, anywhere] = [found + 1, false];
  }
  return undefined;
}

/** @returns A pattern that matches the text itself. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
