/** A fenced block of a Markdown page. */
export interface Block {
  /** First word after the fence: `sh`, `text`, `python`. */
  readonly language: string;
  /** Other words: `exits=1` is `{ exits: "1" }`, `walk` is `{ walk: "" }`. */
  readonly marks: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Returns the blocks of a page in order, without the indentation of their fences. */
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
 * Compares output with a page's.
 *
 * @param said - Output in the page: `…` matches any text of a line, and a line of its own any lines.
 * @param seen - Printed output, with any indentation.
 * @returns The first line that is missing after those before it; `undefined` if none is.
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

/** Returns a pattern that matches the text itself. */
function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
