import { type JobAttempt, jobAttempt, type LiveJob } from "../plan/job-identity.ts";

/** A tenant's migrate Job that lives in the cluster. */
export interface TenantJob extends LiveJob {
  /** The tenant's id, as the Job's label has it. */
  readonly tenantId: string;
  /** Whether it has yet to be started. */
  readonly suspended: boolean;
}

/** Which Job of a tenant an update declares. */
export interface TenantAttempt extends JobAttempt {
  readonly tenant: string;
  /** Whether it runs already: then it must not be suspended. */
  readonly started: boolean;
}

/** Where a tenant's next Job comes from. */
interface TenantWork {
  readonly tenant: string;
  readonly tenantId: string;
  /** Name of its Job's first attempt. */
  readonly firstName: string;
}

/** Nobody asks the tenants' databases: what is known of them is what their Jobs did. */
export const unasked = { kind: "unreachable", what: "database", cause: "it was not asked" } as const;

/** Decides for each tenant which attempt of its work the update declares, as for one database. */
export function planTenants(works: readonly TenantWork[], jobs: readonly TenantJob[]): readonly TenantAttempt[] {
  return works.map(({ tenant, tenantId, firstName }) => {
    const own = jobs.filter((job) => job.tenantId === tenantId);
    const attempt = jobAttempt(firstName, own, unasked);
    const live = own.find(({ name }) => name === attempt.name);
    return { ...attempt, tenant, started: live?.suspended === false };
  });
}

const titles = { run: "to migrate", attach: "being migrated", keep: "migrated" } as const;

/** Names that a line shows: more are counted. */
const shownNames = 20;

/** @returns What an update will do, for people: a line for each kind of work, and one for each failed attempt. */
export function describeTenants(attempts: readonly TenantAttempt[]): string {
  const lines = (Object.keys(titles) as JobAttempt["action"][]).flatMap((action) => {
    const own = attempts.filter((attempt) => attempt.action === action);
    return own.length === 0 ? [] : [`  ${titles[action]}: ${own.length} (${listed(own.map(({ tenant }) => tenant))})`];
  });
  const again = attempts.filter(({ attempt, action }) => action === "run" && attempt > 1);
  const reasons = again.map(({ tenant, name, reason }) => `  again: ${tenant} as ${name}, since ${reason}`);
  return [`${attempts.length} tenants:`, ...lines, ...reasons].join("\n");
}

function listed(tenants: readonly string[]): string {
  const more = tenants.length - shownNames;
  return [...tenants.slice(0, shownNames), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
