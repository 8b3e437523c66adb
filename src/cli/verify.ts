import { nameChecks } from "../checks/custom.ts";
import { type CheckResult, type CheckTarget, expectedOf } from "../checks/result.ts";
import { runChecks } from "../checks/run.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import type { Lock } from "../lockfile/lock.ts";
import { unknownError } from "../lockfile/shape.ts";
import { openDeployed } from "./deployed/open.ts";
import type { DeployedOptions } from "./deployed/options.ts";
import { styled } from "./highlight.ts";
import type { Progress } from "./progress.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { formatTable } from "./table.ts";

/**
 * Runs the named checks; default: all of the deployment.
 *
 * @returns The results in the order of its checks.
 */
export async function run(call: Call<DeployedOptions>): Promise<Result<readonly CheckResult[]>> {
  const { options, args, progress } = call;
  const { lock, checkTarget } = await openDeployed(options, progress.note);
  const target = checkTarget();
  const results = await verify({ ...target, checks: chooseChecks(target.checks, args) }, lock, progress);
  const passed = results.every((result) => result.passed);
  const exitCode = passed ? exitCodes.success : exitCodes.differs;
  return { document: results, text: describeResults(results), exitCode };
}

/**
 * Returns the checks with these names in their usual order; all without names.
 *
 * @throws {CommandError} If a name is unknown.
 */
function chooseChecks(checks: CheckTarget["checks"], names: readonly string[]): CheckTarget["checks"] {
  if (names.length === 0) return checks;
  const named = nameChecks(checks);
  const unknown = names.filter((name) => !named.some((known) => known.name === name));
  if (unknown.length > 0) {
    const known = named.map(({ name }) => name);
    throw new CommandError(unknownError(`check ${unknown.join(", ")}`, known));
  }
  // With their names, which may be derived from their positions.
  return named
    .filter(({ name }) => names.includes(name))
    .map(({ name, check }) => (typeof check === "string" ? check : { ...check, name }));
}

/** Runs checks, and reports progress. */
export function verify(target: CheckTarget, lock: Lock, progress: Progress): Promise<readonly CheckResult[]> {
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
  return runChecks(expectedOf(target, lock), print, kubectl);
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
