/** Numbers of passed and failed tests, and the message of each failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

function total(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Lines of a failure's message that are shown: its first one, and the last ones, where a command's output has its error. */
const shownLines = 20;

/**
 * Returns the failures of mocha (`  1) suite\n       title:\n\n      message\n      stack`) and pytest
 * (`FAILED file::test - error`).
 */
function failuresOf(output: string): string[] {
  const failing = output.slice(Math.max(output.search(/^ {2}\d+ failing$/m), 0));
  const mocha = failing.matchAll(
    /^ {2}\d+\) ([\s\S]+?):\n([\s\S]+?)(?=^ +(?:\+ expected - actual|at .*:\d+:\d+\)?$)|^ {2}\d+\) |$(?!\n))/gm,
  );
  const pytest = output.matchAll(/^(?:FAILED|ERROR) (.+)$/gm);
  return [
    ...[...mocha].map(([, title = "", message = ""]) => `${title.replaceAll(/\s+/g, " ")}: ${shorten(message)}`),
    ...[...pytest].map(([, failure = ""]) => failure),
  ];
}

function shorten(message: string): string {
  const [first = "", ...others] = message.split("\n").filter((line) => line.trim() !== "");
  return [first.trim(), ...others.slice(-shownLines)].join("\n    ");
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
