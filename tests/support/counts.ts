/** Numbers of passed and failed tests, and one line per failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

function total(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Returns the failures of mocha (`  1) suite\n       title:\n\n      error`) and pytest (`FAILED file::test - error`). */
function failuresOf(output: string): string[] {
  const mocha = output
    .slice(Math.max(output.search(/^ {2}\d+ failing$/m), 0))
    .matchAll(/^ {2}\d+\) ([\s\S]+?):\n(?:\s*\n)? +(.+)$/gm);
  const pytest = output.matchAll(/^(?:FAILED|ERROR) (.+)$/gm);
  return [
    ...[...mocha].map(([, title = "", error]) => `${title.replaceAll(/\s+/g, " ")}: ${error}`),
    ...[...pytest].map(([, failure = ""]) => failure),
  ];
}

/**
 * Reads the closing lines of mocha (`12 passing`, `1 failing`) and pytest (`1 failed, 12 passed, 2 errors in 3.4s`).
 *
 * @param exitCode - A runner that ends with a code other than 0 has failed, whatever it counted.
 */
export function countsOf(output: string, exitCode: number): Counts {
  const passed = total(output, /^ {2}(\d+) passing\b/gm) + total(output, /\b(\d+) passed\b.* in [\d.]+s/g);
  const failed =
    total(output, /^ {2}(\d+) failing\b/gm) + total(output, /\b(\d+) (?:failed|errors?)\b(?=.* in [\d.]+s)/g);
  if (failed > 0) return { passed, failed, failures: failuresOf(output) };
  if (exitCode === 0 && passed > 0) return { passed, failed, failures: [] };
  return { passed, failed: 1, failures: [`the tests' runner ended with exit code ${exitCode}, ${passed} passed`] };
}

/** Returns the sum of counts. */
export function sum(counts: readonly Counts[]): Counts {
  return {
    passed: counts.reduce((all, { passed }) => all + passed, 0),
    failed: counts.reduce((all, { failed }) => all + failed, 0),
    failures: counts.flatMap(({ failures }) => failures),
  };
}
