/** Characters that act instead of being shown: escape sequences, bidirectional overrides, line separators. */
const hidden = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Starts of commands in CI logs (`::name::`, `##[name]`) and of colors in Pulumi's (`<{%name%}>`). */
const commands = /(?<=^[^\S\n]*):(?=:.*::)|#(?=#\w*\[)|<(?=\{%)/gm;

/** Parts that only texts to escape contain, and few others. */
const suspicious = /[^ -~\n\t]|::|#|<\{/;

/**
 * Returns a text with hidden characters and commands as visible escapes, such as `\x1b`. All texts that may contain parts
 * of a chain, of a database, or of a pod's output pass through it before they are printed.
 */
export function printable(text: string): string {
  if (!suspicious.test(text)) return text;
  return text.replaceAll(hidden, visible).replaceAll(commands, visible);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  const digits = code.toString(16).padStart(4, "0");
  return code < 0x10000 ? `\\u${digits}` : `\\u{${digits}}`;
}

/** Returns a value's JSON, with hidden characters and commands as escapes of JSON: it is parsed to the same value. */
export function printableJson(value: unknown, space?: number): string {
  return JSON.stringify(value, null, space).replaceAll(hidden, escapeInJson).replaceAll(commands, escapeInJson);
}

function escapeInJson(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** Prints a line on standard output. */
export function printLine(line: string): void {
  console.log(printable(line));
}

/** Returns an error's message. */
export function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
