/** Returns the candidates with the smallest edit distance to a mistyped word, the best first. */
export function nearest(word: string, candidates: readonly string[], count = 3): string[] {
  const ranked = candidates.map((candidate) => ({ candidate, edits: distance(word, candidate) }));
  return ranked
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** The Levenshtein distance: the number of characters to add, remove, or replace. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [line, character] of [...one].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (character === other[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
