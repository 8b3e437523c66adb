import { type CheckResult, describeFailure } from "../../checks/result.ts";
import { formats, type Highlight } from "../highlight.ts";

/** What stands out of the results. */
export const resultHighlights: readonly Highlight[] = [
  [/^passed /, formats.good],
  [/^Check \S+ failed after .*/, formats.bad],
  [/^ {2}(expected|found|by hand):/, formats.heading],
  [/^All \d+ checks passed\.$/, formats.good],
  [/^\d+ of \d+ checks failed\.$/, formats.bad],
];

/** @returns The results for people: a line for each that passed, some for each that failed, and how many did. */
export function describeResults(results: readonly CheckResult[]): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const failed = results.filter(({ passed }) => !passed);
  return [
    ...results
      .filter(({ passed }) => passed)
      .map(({ name, found }) => `passed  ${name.padEnd(width)}  ${oneLine(found)}`),
    ...failed.map(describeFailure),
    failed.length === 0
      ? `All ${results.length} checks passed.`
      : `${failed.length} of ${results.length} checks failed.`,
  ].join("\n");
}

function oneLine(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
