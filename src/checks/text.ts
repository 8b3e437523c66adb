import { redact } from "../cluster/kubectl.ts";
import { printable } from "../printable.ts";

/** Characters of a program's output in a finding; the check's command shows the rest. */
const outputLimit = 500;
/** Characters of an output that are processed. */
const inputLimit = 4000;

/** Secret with its name before it. */
const named = /((?:password|passwd|pwd|secret|token|api[-_]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi;

/** Shortens a program's output to one line without passwords and control characters. */
export function shortened(output: string): string {
  const line = output.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  // Cut before the search for passwords, which is slow; whole words only, as half a URL would not be recognized.
  const start = line.length > inputLimit ? line.slice(0, inputLimit).replace(/ \S*$/, "") : line;
  const text = printable(redact(start).replaceAll(named, "$1[secret]"));
  return text.length > outputLimit ? `${text.slice(0, outputLimit)}…` : text;
}

/** Returns the first items of a list, and the number of the others. */
export function some(items: readonly string[], limit = 5): string {
  const more = items.length > limit ? `, and ${items.length - limit} more` : "";
  return `${items.slice(0, limit).join(", ")}${more}`;
}
