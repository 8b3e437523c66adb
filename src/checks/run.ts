import { Kubectl } from "../cluster/kubectl.ts";
import { printable } from "../printable.ts";
import { failedFinding } from "./check.ts";
import { type NamedCheck, nameChecks } from "./custom.ts";
import { customCheck } from "./custom-definitions.ts";
import { checks } from "./definitions.ts";
import { withoutExecutions } from "./evaluate-backend.ts";
import { withSharedRole } from "./evaluate-database.ts";
import type { CheckResult, Expected } from "./result.ts";
import { openSources } from "./sources.ts";
import { shortened } from "./text.ts";

/**
 * Runs the expected state's checks concurrently on shared sources. An error fails its check and is never thrown; results
 * contain no password.
 *
 * @param print - Receives each result when it is known.
 * @returns The results in the order of the checks.
 */
export async function runChecks(
  expected: Expected,
  print: (result: CheckResult) => void = () => {},
  kubectl = new Kubectl(expected),
): Promise<readonly CheckResult[]> {
  const parts = new Set(expected.checks.flatMap((check) => (typeof check === "string" && checks[check].inPod) || []));
  if (withoutExecutions(expected) !== null) parts.delete("execution");
  if (withSharedRole(expected) !== null) parts.delete("privileges");
  const sources = openSources(kubectl, expected, [...parts]);
  const run = async ({ name, check: given }: NamedCheck): Promise<CheckResult> => {
    const started = performance.now();
    const check = typeof given === "string" ? checks[given] : customCheck(given);
    const finding = await check.run(sources, expected).catch((error: unknown) => failedFinding(check.title, error));
    const result = {
      name,
      ...finding,
      found: shortened(finding.found),
      expected: shortened(finding.expected),
      seconds: Math.round(performance.now() - started) / 1000,
      command: printable(finding.command ?? check.command(expected)),
    };
    print(result);
    return result;
  };
  return Promise.all(nameChecks(expected.checks).map(run));
}
