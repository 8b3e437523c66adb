import { Kubectl } from "../cluster/kubectl.ts";
import { printable } from "../printable.ts";
import { checks } from "./definitions.ts";
import { withoutExecutions } from "./evaluate-backend.ts";
import { withSharedRole } from "./evaluate-database.ts";
import type { CheckName } from "./names.ts";
import type { CheckFinding, CheckResult, Expected } from "./result.ts";
import { openSources } from "./sources.ts";
import { shortened } from "./text.ts";

/**
 * Runs checks concurrently on shared sources. An error fails its check and is never thrown; results contain no password.
 *
 * @param print - Receives each result when it is known.
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
  if (withSharedRole(expected) !== null) parts.delete("privileges");
  const sources = openSources(kubectl, expected, [...parts]);
  const started = performance.now();
  const run = async (name: CheckName): Promise<CheckResult> => {
    const check = checks[name];
    const failed = (found: string): CheckFinding => ({ passed: false, expected: check.title, found: shortened(found) });
    const finding = await check
      .run(sources, expected)
      .catch((error: unknown) => failed(error instanceof Error ? error.message : String(error)));
    const result = {
      name,
      ...finding,
      found: printable(finding.found),
      expected: shortened(finding.expected),
      seconds: Math.round(performance.now() - started) / 1000,
      command: check.command(expected),
    };
    print(result);
    return result;
  };
  return Promise.all(names.map(run));
}
