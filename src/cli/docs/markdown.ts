/** The folder of the documents. */
export const documentsFolder = "docs/operations";

/** The command that writes them. */
export const docsCommand = "npm run unity -- docs";

/** The script, as it is run from the project's folder. */
export const scriptCommand = `${documentsFolder}/check_migrations.sh`;

/** What every document says of its origin. */
export const origin = `Made by \`${docsCommand}\` from the lock, the manifests and the stack's settings.`;

/** The comment that says so in Markdown, where it is not shown. */
export const markdownOrigin = `<!-- ${origin} Change those, not this file. -->`;

/** Returns names, each as code. */
export function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/** Returns a count with its noun, such as `1 table` or `3 tables`. */
export function several(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith("x") ? `${noun}es` : `${noun}s`}`;
}
