/** Returns a count with its noun, such as `1 table` or `3 indexes`. */
export function pluralize(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return noun.endsWith("x") ? `${count} ${noun}es` : `${count} ${noun}s`;
}
