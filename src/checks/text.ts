import { redact } from "../cluster/kubectl.ts";

/** Characters of a program's output that a finding repeats: the rest is for the person who runs the command. */
const outputLimit = 500;
/** Characters that are looked at. */
const flood = 4000;

/** What is written before a secret: a name of one, then `=` or `:`. */
const named = /((?:password|passwd|pwd|secret|token|api[-_]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi;

/** @returns A program's output as one short line that may be shown: no password, no control characters. */
export function shortened(output: string): string {
  const line = output.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  // Looking for passwords takes its time in a flood; a word that is cut here might be half a URL.
  const start = line.length > flood ? line.slice(0, flood).replace(/ \S*$/, "") : line;
  const text = redact(start).replaceAll(named, "$1[secret]");
  return text.length > outputLimit ? `${text.slice(0, outputLimit)}…` : text;
}

/** @returns The first few of a list, and how many more there are. */
export function some(items: readonly string[], limit = 5): string {
  const more = items.length > limit ? `, and ${items.length - limit} more` : "";
  return `${items.slice(0, limit).join(", ")}${more}`;
}
