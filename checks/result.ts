import type { ClusterTarget } from "../cluster/kubectl.ts";
import type { CheckName } from "./names.ts";

/** Where the checks look, and what must be there. No secret is in it: it is in the state and in the environment. */
export interface Expected extends ClusterTarget {
  /** Revision that the database must be at. */
  readonly head: string;
  /** Revisions of later releases that it may be at instead. */
  readonly toleratedRevisions: readonly string[];
  /** Tables that the database must have. */
  readonly tables: readonly string[];
}

/** What a check found, before it is given its name and duration. */
export interface Finding {
  readonly passed: boolean;
  readonly expected: string;
  readonly found: string;
}

/** A check's result. */
export interface CheckResult extends Finding {
  readonly name: CheckName;
  readonly seconds: number;
  /** What a person would type to see the same. */
  readonly command: string;
}

/** @returns The result that a check's program printed. */
export function parseCheckResult(output: string): CheckResult {
  return JSON.parse(output) as CheckResult;
}

/** @returns A failed check's result as people read it. */
export function describeFailure(result: CheckResult): string {
  return [
    `Check ${result.name} failed after ${result.seconds.toFixed(1)} s.`,
    `  expected: ${result.expected}`,
    `  found:    ${result.found}`,
    `  by hand:  ${result.command}`,
  ].join("\n");
}
