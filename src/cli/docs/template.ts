import { readFileSync } from "node:fs";
import { join } from "node:path";
import { insideCode } from "./markdown.ts";

/** Values of a template's placeholders, and views of its sections. */
export interface View {
  readonly [name: string]: string | number | boolean | readonly View[] | undefined;
}

const section = /^\{\{([#^])(\w+)\}\}\n([\s\S]*?)^\{\{\/\2\}\}\n/gm;
const placeholder = /\{\{(\w+)\}\}/g;

/** Returns the document that `templates/<name>` becomes with a view. */
export function renderTemplate(name: string, view: View): string {
  return fill(readFileSync(join(import.meta.dirname, "templates", name), "utf8"), view);
}

/**
 * Fills a template.
 *
 * @param template - `{{name}}` is replaced by the value. Lines between `{{#name}}` and `{{/name}}` stay for each view of a
 *   list, which inherits the outer view, or if the value is neither empty nor false; those after `{{^name}}` stay otherwise.
 * @throws {Error} If the view lacks a name.
 */
export function fill(template: string, view: View): string {
  const value = (name: string) => {
    if (!(name in view)) throw new Error(`the template's {{${name}}} is unknown`);
    return view[name];
  };
  const parts: string[] = [];
  let end = 0;
  // Each part is filled once, as a value may look like a placeholder.
  for (const { 0: match, 1: kind, 2: name = "", 3: body = "", index } of template.matchAll(section)) {
    parts.push(fillLines(template.slice(end, index), value));
    end = index + match.length;
    const found = value(name);
    if (Array.isArray(found)) parts.push(...found.map((each: View) => fill(body, { ...view, ...each })));
    else if (Boolean(found) === (kind === "#")) parts.push(fill(body, view));
  }
  parts.push(fillLines(template.slice(end), value));
  return parts.join("");
}

/** Replaces placeholders: in code without backticks, in rows of a table with escaped bars. */
function fillLines(lines: string, value: (name: string) => View[string]): string {
  return lines.replaceAll(/.*\n?/g, (line) =>
    line.replaceAll(placeholder, (_, name: string, offset: number) => {
      const isCode = line.slice(0, offset).split("`").length % 2 === 0;
      const text = isCode ? insideCode(String(value(name))) : String(value(name));
      return line.startsWith("|") ? text.replaceAll("|", "\\|") : text;
    }),
  );
}
