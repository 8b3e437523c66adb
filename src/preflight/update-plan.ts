import { type Adoption, describeAdoption, describeRejected } from "../adoption/adoption.ts";
import { requiresManualAction } from "../plan/live-state.ts";
import type { Plan } from "../plan/plan.ts";
import { describePlan } from "../plan/plan-report.ts";
import { describeRejection } from "../plan/rejection-report.ts";
import { printable } from "../printable.ts";

/** The changes that an update makes to the database and to existing resources. */
export interface UpdatePlan extends Plan {
  /** Existing resources that the stack adopts. */
  readonly adoption: Adoption;
}

/** Combines both plans. The update declares no Job if either is rejected. */
export function combinePlans(plan: Plan, adoption: Adoption): UpdatePlan {
  const job = adoption.rejected.length > 0 ? null : plan.job;
  return { ...plan, adoption, job };
}

/**
 * Describes a plan and why it is rejected.
 *
 * @param full - Whether statements are printed in full.
 */
export function describeUpdate(plan: UpdatePlan, full = false): string {
  const { state, pending, rejection, adoption } = plan;
  const lines = describePlan(plan, full);
  if (!requiresManualAction(state)) lines.push(...describeAdoption(adoption));
  lines.push(...describeRejected(adoption.rejected));
  if (rejection !== null) lines.push(...describeRejection(rejection, pending !== null));
  return printable(lines.join("\n"));
}
