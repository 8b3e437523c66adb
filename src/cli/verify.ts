import { type CheckName, checkNames } from "../checks/names.ts";
import { type CheckResult, type CheckTarget, describeFailure, expectedOf } from "../checks/result.ts";
import { runChecks } from "../checks/run.ts";
import { head } from "../lockfile/lock.ts";
import { readLock } from "../lockfile/read-lock.ts";
import { lockFile } from "../paths.ts";
import { approvedIrreversible, parseApprovals } from "../plan/approvals.ts";
import { formats, type Highlight } from "./highlight.ts";
import type { Progress } from "./progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { readStack, readTarget, readTargetOptions, type StackOptions } from "./stack.ts";

/**
 * Runs the checks that are named, else all.
 *
 * @returns Results in the order of the checks' list.
 */
export async function run(call: Call<StackOptions>): Promise<Result<readonly CheckResult[]>> {
  const { options, args, progress } = call;
  const chosen = chooseChecks(args);
  const results = await verify(checkTargetOf(options), chosen, progress);
  const passed = results.every((result) => result.passed);
  const exitCode = passed ? exitCodes.success : exitCodes.differs;
  return { document: results, text: describeResults(results), exitCode, highlights: resultHighlights };
}

/** @returns Where a stack is checked, and what for. @throws {CommandError} If no context is set. */
export function checkTargetOf(options: StackOptions): CheckTarget {
  const { values } = readStack(options);
  const { target, owned } = readTarget(options);
  const { toleratedRevisions = [], targetRevision = head(readLock(lockFile)) } = readTargetOptions(options);
  const { approvals } = parseApprovals(parsed(values["unity:approvals"]));
  const irreversible = approvedIrreversible(approvals);
  const applicationRole = values["unity:databaseRoles"] === "separate" ? values["unity:applicationRole"] : undefined;
  return { ...target, owned, irreversible, head: targetRevision, toleratedRevisions, applicationRole };
}

/** @returns What a value that Pulumi keeps as JSON holds; what is no JSON approves nothing. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns The checks of these names, each once and in the usual order; all if none is named. @throws {CommandError} */
function chooseChecks(names: readonly string[]): readonly CheckName[] {
  const unknown = names.filter((name) => !checkNames.some((known) => known === name));
  if (unknown.length > 0) {
    throw new CommandError(`There is no check ${unknown.join(", ")}. The checks: ${checkNames.join(", ")}.`);
  }
  return names.length === 0 ? checkNames : checkNames.filter((name) => names.includes(name));
}

/** Runs checks, and tells how far they are. */
export function verify(
  target: CheckTarget,
  names: readonly CheckName[],
  progress: Progress,
): Promise<readonly CheckResult[]> {
  const missing = new Set(names);
  const left = () => progress.doing(`${missing.size} of ${names.length} to go: ${[...missing].join(", ")}`);
  left();
  return runChecks(expectedOf(target, readLock(lockFile)), names, ({ name, passed, seconds }) => {
    missing.delete(name);
    left();
    progress.note(`${name}: ${passed ? "passed" : "FAILED"} (${seconds.toFixed(1)} s)`);
  });
}

/** What stands out of the results. */
export const resultHighlights: readonly Highlight[] = [
  [/^passed /, formats.good],
  [/^Check \S+ failed after .*/, formats.bad],
  [/^ {2}(expected|actual|reproduce):/, formats.heading],
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
