import { printable } from "../../printable.ts";

/** Text that is already HTML. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** A value in {@link html}: text, numbers, HTML, and lists of these. Empty values are omitted. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/** Builds HTML from a template. Values are escaped unless they are {@link Html}. Attribute values need double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((text, string, index) => text + render(values[index - 1]) + string));
}

function render(content: Content): string {
  if (content instanceof Html) return content.text;
  if (typeof content === "object" && content !== null) return content.map(render).join("");
  return content === null || content === undefined || content === false ? "" : escapeHtml(String(content));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
