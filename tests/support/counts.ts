/** How many tests passed and failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

function total(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/**
 * Reads the closing lines of mocha (`12 passing`, `1 failing`) and pytest (`1 failed, 12 passed, 2 errors in 3.4s`).
 *
 * @param exitCode A runner that ends with another code than 0 has failed, whatever it counted.
 */
export function countsOf(output: string, exitCode: number): Counts {
  const passed = total(output, /^ {2}(\d+) passing\b/gm) + total(output, /\b(\d+) passed\b.* in [\d.]+s/g);
  const failed =
    total(output, /^ {2}(\d+) failing\b/gm) + total(output, /\b(\d+) (?:failed|errors?)\b(?=.* in [\d.]+s)/g);
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}

/** @returns The counts together. */
export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((all, { passed, failed }) => ({ passed: all.passed + passed, failed: all.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}
