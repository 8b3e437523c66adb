import type { CheckResult, CheckTarget } from "../../checks/result.ts";
import { head } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { approvedIrreversible, parseApprovals } from "../../plan/approvals.ts";
import { exitCodes } from "../command-error.ts";
import { lockFile } from "../lock-file.ts";
import type { Call, Result } from "../result.ts";
import { readStack, readTarget, readTargetOptions, type StackOptions } from "../stack-options.ts";
import { describeResults, resultHighlights } from "./report.ts";
import { chooseChecks, verify } from "./verify.ts";

/** Runs the checks that are named, else all. */
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
  const applicationRole = values["unity:roles"] === "two" ? values["unity:applicationRole"] : undefined;
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
