import { type Adoption, describeAdoption, describeRejected } from "../adoption/adoption.ts";
import { requiresManualAction } from "../plan/live-state.ts";
import type { Plan } from "../plan/plan.ts";
import { describePlan } from "../plan/plan-report.ts";
import { describeRejection } from "../plan/rejection-report.ts";
import { stackRemedies } from "../plan/remedies.ts";
import { printable } from "../printable.ts";

/** The changes that an update makes to the database and to existing resources. */
export interface UpdatePlan extends Plan {
  /** Existing resources that the stack adopts. */
  readonly adoption: Adoption;
  /** Why the stack's own PostgreSQL can't run the image of the settings; `null` if it can, or that is unknown. */
  readonly postgresImageError: string | null;
}

/** Combines the plans. The update declares no Job if one is rejected. */
export function combinePlans(plan: Plan, adoption: Adoption, postgresImageError: string | null = null): UpdatePlan {
  const isRejected = adoption.rejected.length > 0 || postgresImageError !== null;
  return { ...plan, adoption, postgresImageError, job: isRejected ? null : plan.job };
}

/**
 * Describes a plan and why it is rejected.
 *
 * @param full - Whether statements are printed in full.
 * @param remedies - Remedies of its reader (default: those of Unity's stacks).
 */
export function describeUpdate(plan: UpdatePlan, full = false, remedies = stackRemedies): string {
  const { state, pending, rejection, adoption, postgresImageError } = plan;
  const lines = describePlan(plan, full, remedies);
  if (!requiresManualAction(state)) lines.push(...describeAdoption(adoption));
  lines.push(...describeRejected(adoption.rejected));
  if (postgresImageError !== null) lines.push(postgresImageError);
  if (rejection !== null) lines.push(...describeRejection(rejection, pending !== null, remedies));
  return printable(lines.join("\n"));
}
