import { setTimeout as delay } from "node:timers/promises";
import { Kubectl } from "../cluster/kubectl.ts";
import { checks } from "./definitions.ts";
import { withoutExecutions } from "./evaluate-execution.ts";
import { withOneRole } from "./evaluate-privileges.ts";
import type { CheckName } from "./names.ts";
import type { CheckFinding, CheckResult, Expected } from "./result.ts";
import { openSources } from "./sources.ts";
import { shortened } from "./text.ts";

/**
 * Runs checks at once, on shared sources. What goes wrong on the way is a failed check, never an exception; no password
 * is in a result.
 *
 * @param print Takes each result as it comes.
 * @returns The results in the order of `names`.
 */
export async function runChecks(
  expected: Expected,
  names: readonly CheckName[],
  print: (result: CheckResult) => void = () => {},
  kubectl = new Kubectl(expected),
): Promise<readonly CheckResult[]> {
  const parts = new Set(names.flatMap((name) => checks[name].inPod ?? []));
  if (withoutExecutions(expected) !== null) parts.delete("execution");
  if (withOneRole(expected) !== null) parts.delete("privileges");
  const sources = openSources(kubectl, expected, [...parts]);
  const started = performance.now();
  const { limitSeconds = 20 } = expected;
  const run = async (name: CheckName): Promise<CheckResult> => {
    const check = checks[name];
    const failed = (found: string): CheckFinding => ({ passed: false, expected: check.title, found: shortened(found) });
    const finding = await Promise.race([
      check
        .run(sources, expected)
        .catch((error: unknown) => failed(error instanceof Error ? error.message : `${error}`)),
      delay(limitSeconds * 1000, failed(`no answer within ${limitSeconds} s`), { ref: false }),
    ]);
    const seconds = Math.round(performance.now() - started) / 1000;
    const result = {
      name,
      ...finding,
      expected: shortened(finding.expected),
      seconds,
      command: check.command(expected),
    };
    print(result);
    return result;
  };
  return Promise.all(names.map(run));
}
