import { readFileSync } from "node:fs";
import { join } from "node:path";

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
  const withoutSections = template.replaceAll(section, (_, kind: string, name: string, body: string) => {
    const found = value(name);
    if (Array.isArray(found)) return found.map((each: View) => fill(body, { ...view, ...each })).join("");
    return Boolean(found) === (kind === "#") ? fill(body, view) : "";
  });
  return withoutSections.replaceAll(/.*\n?/g, (line) => {
    const isRow = line.startsWith("|");
    return line.replaceAll(placeholder, (_, name: string) => {
      const text = String(value(name));
      return isRow ? text.replaceAll("|", "\\|") : text;
    });
  });
}
