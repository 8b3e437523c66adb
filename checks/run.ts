import { Kubectl, redact } from "../cluster/kubectl.ts";
import { checks } from "./definitions.ts";
import type { CheckName } from "./names.ts";
import type { CheckResult, Expected, Finding } from "./result.ts";

/** Runs a check. What goes wrong on the way is a failed check, never an exception; no password is in the result. */
export async function runCheck(name: CheckName, expected: Expected): Promise<CheckResult> {
  const check = checks[name];
  const started = performance.now();
  const finding = await check.run(new Kubectl(expected), expected).catch(
    (error: unknown): Finding => ({
      passed: false,
      expected: check.title,
      found: error instanceof Error ? error.message : String(error),
    }),
  );
  const seconds = Math.round(performance.now() - started) / 1000;
  return { name, ...finding, found: redact(finding.found), seconds, command: check.command(expected) };
}
