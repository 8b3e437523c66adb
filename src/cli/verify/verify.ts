import { type CheckName, checkNames } from "../../checks/names.ts";
import { type CheckResult, type CheckTarget, expectedOf } from "../../checks/result.ts";
import { runChecks } from "../../checks/run.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { CommandError } from "../command-error.ts";
import { lockFile } from "../lock-file.ts";
import type { Progress } from "../progress.ts";

/** @returns The checks of these names, each once and in the usual order; all if none is named. @throws {CommandError} */
export function chooseChecks(names: readonly string[]): readonly CheckName[] {
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
