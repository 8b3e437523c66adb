import type { PrivilegeFacts } from "./pod-facts.ts";
import type { CheckFinding, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/** What is found where one role migrates and serves; `null` if the application has its own. */
export function withOneRole({ applicationRole }: Expected): CheckFinding | null {
  if (applicationRole !== undefined) return null;
  return { passed: true, expected: "nothing: one role migrates and serves", found: "one role" };
}

/** Judges what the backend's role may do: all with rows, nothing with the schema. */
export function evaluatePrivileges(facts: PrivilegeFacts, { applicationRole, tables }: Expected): CheckFinding {
  const { role, lacking, excess } = facts;
  const errors = [
    ...(role === applicationRole ? [] : [`the backend's role is ${role}`]),
    ...Object.entries(lacking).map(([table, privileges]) => `no ${privileges.join(", ")} on ${table}`),
    ...excess.map((right) => `it can ${right}`),
  ];
  return {
    passed: errors.length === 0,
    expected: `role ${applicationRole} reads and writes ${tables.length} tables, and can create, alter or drop none`,
    found: errors.length === 0 ? "it does, and can't" : shortened(some(errors)),
  };
}
