/** Returns a code block. */
export function block(lines: readonly string[], language = ""): string {
  return [`\`\`\`${language}`, ...lines, "```"].join("\n");
}

/** Returns a table whose cells' bars are escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
