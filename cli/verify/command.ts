import { Command } from "commander";
import { checkNames } from "../../checks/names.ts";
import type { CheckTarget } from "../../checks/result.ts";
import { approvedIrreversible, parseApprovals } from "../../migrations/approvals.ts";
import { head } from "../../migrations/lock.ts";
import { readLock } from "../../migrations/read-lock.ts";
import { exitCodes } from "../command-error.ts";
import { endWith } from "../end-with.ts";
import { lockFile } from "../lock-file.ts";
import { addStackOptions, readGoal, readStack, readTarget, type StackOptions } from "../stack-options.ts";
import { describeResults } from "./report.ts";
import { chooseChecks, verify } from "./verify.ts";

const help = `
Checks: ${checkNames.join(", ")}.
\`execution\` executes a plugin by the API, looks for its row in the database, and removes it again.

Exit codes:
  0  all checks passed
  1  a check failed, or could not look
  2  wrong usage`;

/** @returns The command `unity verify`. */
export function verifyProgram(): Command {
  return addStackOptions(new Command("verify"))
    .description("Run the checks that `pulumi up` runs after a rollout.")
    .argument("[check...]", "names of checks; else all")
    .option("--json", "print the results as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (names: readonly string[], options: StackOptions & { readonly json?: boolean }) => {
      const chosen = chooseChecks(names);
      const results = await verify(checkTargetOf(options), chosen);
      const passed = results.every((result) => result.passed);
      const text = options.json ? JSON.stringify(results, null, 2) : describeResults(results);
      await endWith(text, passed ? exitCodes.success : exitCodes.differs);
    });
}

/** @returns Where a stack is checked, and what for. @throws {CommandError} If no context is set. */
export function checkTargetOf(options: StackOptions): CheckTarget {
  const { values } = readStack(options);
  const { target, owned } = readTarget(options);
  const { toleratedRevisions = [], targetRevision = head(readLock(lockFile)) } = readGoal(options);
  const { approvals } = parseApprovals(parsed(values["unity:approvals"]));
  const irreversible = approvedIrreversible(approvals);
  return { ...target, owned, irreversible, head: targetRevision, toleratedRevisions };
}

/** @returns What a value that Pulumi keeps as JSON holds; what is no JSON approves nothing. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
