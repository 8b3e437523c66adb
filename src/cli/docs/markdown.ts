/** Where the documents lie. */
export const documentsFolder = "docs/operations";

/** The command that makes them. */
export const docsCommand = "npm run unity -- docs";

/** What every document says of its origin. */
export const origin = `Made by \`${docsCommand}\` from the lock, the manifests and the stack's settings.`;

/** The comment that says so in Markdown, where it is not shown. */
export const markdownOrigin = `<!-- ${origin} Change those, not this file. -->`;

/** @returns A block of what is typed or printed. */
export function block(lines: readonly string[], language = ""): string {
  return [`\`\`\`${language}`, ...lines, "```"].join("\n");
}

/** @returns A table; a cell's bars are escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** @returns A list of names, each as code. */
export function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/** @returns A number of things in words: `1 table`, `3 tables`. */
export function several(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith("x") ? `${noun}es` : `${noun}s`}`;
}

/** The script, as it is run from the project's folder. */
export const scriptCommand = `${documentsFolder}/check_migrations.sh`;
