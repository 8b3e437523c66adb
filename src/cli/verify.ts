import { nameChecks } from "../checks/custom.ts";
import { type CheckName, checkNames } from "../checks/names.ts";
import { type CheckResult, type CheckTarget, expectedOf } from "../checks/result.ts";
import { runChecks } from "../checks/run.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { head } from "../lockfile/lock.ts";
import { readLock } from "../lockfile/read-lock.ts";
import { lockFile } from "../paths.ts";
import { checkTarget } from "../preflight/options.ts";
import type { Settings } from "../settings/settings.ts";
import { styled } from "./highlight.ts";
import type { Progress } from "./progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { readSettings, type StackOptions } from "./stack.ts";
import { formatTable } from "./table.ts";

/**
 * Runs the named checks; default: all.
 *
 * @returns The results in the order of {@link checkNames}.
 */
export async function run(call: Call<StackOptions>): Promise<Result<readonly CheckResult[]>> {
  const { options, args, progress } = call;
  const chosen = chooseChecks(args);
  const results = await verify({ ...stackCheckTarget(await readSettings(options)), checks: chosen }, progress);
  const passed = results.every((result) => result.passed);
  const exitCode = passed ? exitCodes.success : exitCodes.differs;
  return { document: results, text: describeResults(results), exitCode };
}

/** Returns the check target of the release that a stack's settings select. */
export function stackCheckTarget(settings: Settings): CheckTarget {
  return checkTarget(settings, { head: settings.targetRevision ?? head(readLock(lockFile)) });
}

/**
 * Returns the checks with these names in their usual order; all without names.
 *
 * @throws {CommandError} If a name is unknown.
 */
function chooseChecks(names: readonly string[]): readonly CheckName[] {
  const unknown = names.filter((name) => !checkNames.some((known) => known === name));
  if (unknown.length > 0)
    throw new CommandError(`unknown check ${unknown.join(", ")}: must be one of ${checkNames.join(", ")}`);
  return names.length === 0 ? checkNames : checkNames.filter((name) => names.includes(name));
}

/** Runs checks, and reports progress. */
export function verify(target: CheckTarget, progress: Progress): Promise<readonly CheckResult[]> {
  const names = nameChecks(target.checks).map(({ name }) => name);
  const remaining = new Set(names);
  const showRemaining = () => progress.doing(`${remaining.size} of ${names.length} left: ${[...remaining].join(", ")}`);
  showRemaining();
  const print = ({ name, passed, seconds }: CheckResult) => {
    remaining.delete(name);
    showRemaining();
    progress.note(`${name}: ${passed ? "PASS" : "FAIL"} (${seconds.toFixed(1)}s)`);
  };
  const kubectl = new Kubectl(target, { report: progress.note });
  return runChecks(expectedOf(target, readLock(lockFile)), print, kubectl);
}

/** Describes results as a table, followed by the failures and the totals. */
export function describeResults(results: readonly CheckResult[]): string {
  const rows = results.map(({ name, passed, seconds, found }) => {
    const status = passed ? styled("good", "PASS") : styled("bad", "FAIL");
    return [name, status, `${seconds.toFixed(1)}s`, truncated(found)];
  });
  const [header = "", ...lines] = formatTable(["CHECK", "STATUS", "TIME", "RESULT"], rows);
  const failures = results.filter(({ passed }) => !passed);
  const totals = `${results.length - failures.length} passed, ${failures.length} failed`;
  // The checks run in parallel.
  const seconds = Math.max(...results.map((result) => result.seconds)).toFixed(1);
  return [
    styled("heading", header),
    ...lines,
    "",
    ...failures.flatMap(describeFailure),
    styled(failures.length === 0 ? "good" : "bad", `${totals} (${seconds}s)`),
  ].join("\n");
}

function describeFailure({ name, expected, found, command }: CheckResult): readonly string[] {
  return [
    styled("bad", name),
    `  ${styled("heading", "expected:")}   ${expected}`,
    `  ${styled("heading", "actual:")}     ${found}`,
    `  ${styled("heading", "reproduce:")}  ${command}`,
    "",
  ];
}

function truncated(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
