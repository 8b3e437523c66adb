import { kubectlCommand } from "../kubectl-command.ts";
import { names } from "../manifests/names.ts";
import { quote } from "../shell.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import type { Sources } from "./sources.ts";

/** Verification of a deployed release. */
export interface Check {
  /** Statement that it verifies. */
  readonly title: string;
  /** Returns the command that reproduces the result, for a finding without one. */
  command(expected: Expected): string;
  /** Facts that it requests from the first workload's pod. */
  readonly inPod?: keyof PodFacts;
  /** Evaluates the sources; an error fails the check. */
  run(sources: Sources, expected: Expected): Promise<CheckFinding>;
}

/** Returns the workload in which facts are read and the database is queried. */
export function firstWorkload({ workloads }: Expected): string {
  return workloads[0] ?? "";
}

/** Returns a kubectl command. */
export function kubectl(expected: Expected, args: string): string {
  return `${kubectlCommand(expected)} ${args}`;
}

/** Returns a psql command or statement in the stack's own PostgreSQL, or where `DATABASE_URL` is set. */
export function psql(expected: Expected, sql: string): string {
  if (!expected.owned) return `psql "$DATABASE_URL" -c ${quote(sql)}`;
  const options = `-U ${names.databaseOwner} -d ${names.database}`;
  return kubectl(expected, `exec deployment/${names.postgres} -- psql ${options} -c ${quote(sql)}`);
}

/** Returns the finding of a check that failed to run. */
export function failedFinding(expected: string, error: unknown): CheckFinding {
  return { passed: false, expected, found: error instanceof Error ? error.message : String(error) };
}
