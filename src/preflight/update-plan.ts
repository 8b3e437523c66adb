import { type Adoption, describeAdoption, describeRejected } from "../adoption/adoption.ts";
import { requiresManualAction } from "../plan/live-state.ts";
import type { Plan } from "../plan/plan.ts";
import { describePlan, type PlanReportOptions } from "../plan/plan-report.ts";

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

/** Describes an update, and why it is rejected. */
export function describeUpdate(plan: UpdatePlan, options: PlanReportOptions = {}): string {
  const { state, adoption, postgresImageError } = plan;
  const changes = requiresManualAction(state) ? [] : [...describeAdoption(adoption)];
  changes.push(...describeRejected(adoption.rejected));
  if (postgresImageError !== null) changes.push(postgresImageError);
  return describePlan(plan, options, changes);
}
