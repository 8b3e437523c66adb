/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand in {@link html}: text and numbers, HTML, lists of these; the rest is left out. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/**
 * Writes HTML. Whatever is put in is text, and is escaped, unless it is HTML that was made the same way. An attribute's
 * value must stand in double quotes.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((text, string, index) => text + written(values[index - 1]) + string));
}

function written(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content === "object" && content !== null) return content.map(written).join("");
  return content === null || content === undefined || content === false ? "" : escaped(String(content));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // HTML has no way to write it.
  "\0": "\uFFFD",
};

function escaped(text: string): string {
  return text.toWellFormed().replaceAll(/[&<>"'\0]/g, (character) => entities[character] ?? "");
}
