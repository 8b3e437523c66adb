import type { ExecutionFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import { shortened } from "./text.ts";

/** The table of executions: a release whose chain ends before it has none to check. */
const table = "plugin_executions";

/** What is found where a release has no executions; `null` if it has. */
export function withoutExecutions({ tables, head }: Expected): CheckFinding | null {
  if (tables.includes(table)) return null;
  return { passed: true, expected: `nothing: ${head} comes before ${table}`, found: "not judged" };
}

/** Judges the execution of a plugin by what the database held of it. */
export function evaluateExecution(facts: ExecutionFacts): CheckFinding {
  const expected = `a plugin, executed by the API: a row of ${table} with start, completion and status succeeded`;
  const failed = (found: string) => ({ passed: false, expected, found: shortened(found) });
  if ("problem" in facts)
    return failed(facts.status === 0 ? `no answer to ${facts.problem}` : `${facts.status} for ${facts.problem}`);
  const { plugin, row, restored } = facts;
  if (plugin === null) return failed("no plugin that could be executed");
  if (!row) return failed(`${plugin} was executed, and left no row`);
  const { startedAt, completedAt, status, error } = row;
  if (startedAt === null || completedAt === null)
    return failed(`${plugin}: a row without ${startedAt === null ? "start" : "completion"}, status ${status}`);
  if (status !== "succeeded") return failed(`${plugin} ${status}: ${error ?? "no error is recorded"}`);
  if (!restored) return failed(`${plugin} succeeded, but is not enabled or disabled as it was`);
  return { passed: true, expected, found: `${plugin} ${status}, from ${startedAt} to ${completedAt}` };
}
