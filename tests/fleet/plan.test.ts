import assert from "node:assert/strict";
import type { TenantJob } from "../../src/cluster/list-migrate-jobs.ts";
import { describeTenants, planTenants } from "../../src/fleet/plan.ts";

const works = ["a", "a-b", "c"].map((tenant) => ({
  tenant,
  tenantId: tenant,
  firstName: `migrate-${tenant}-0123456789`,
}));
const job = (tenantId: string, state: TenantJob["state"], more: Partial<TenantJob> = {}): TenantJob => ({
  name: `migrate-${tenantId}-0123456789`,
  tenantId,
  state,
  suspended: false,
  owner: undefined,
  ...more,
});

describe("planTenants", () => {
  it("plans each tenant by its own Jobs, also if its name is a prefix of another's", () => {
    const jobs = [job("a", "complete", { created: "1" }), job("a-b", "failed", { created: "2" })];
    const planned = planTenants(works, jobs).map(({ tenant, attempt, action }) => [tenant, attempt, action]);
    assert.deepEqual(planned, [
      ["a", 1, "keep"],
      ["a-b", 2, "run"],
      ["c", 1, "run"],
    ]);
  });

  it("marks the Jobs that have started, so that none is suspended", () => {
    const jobs = [job("a", "running"), job("a-b", "running", { suspended: true })];
    const started = planTenants(works, jobs).map(({ started, action }) => [started, action]);
    assert.deepEqual(started, [
      [true, "attach"],
      [false, "attach"],
      [false, "run"],
    ]);
  });
});

describe("describeTenants", () => {
  it("lists tenants by action, and reasons of retries", () => {
    const text = describeTenants(planTenants(works, [job("a", "complete"), job("c", "failed")]));
    assert.equal(
      text,
      [
        "3 tenants:",
        "  2 to migrate: a-b, c",
        "  1 migrated: a",
        "  retry of c as Job migrate-c-0123456789-2: migrate-c-0123456789 failed",
      ].join("\n"),
    );
  });

  it("counts tenants beyond the first 20", () => {
    const many = Array.from({ length: 200 }, (_, n) => ({
      tenant: `t${n}`,
      tenantId: `t${n}`,
      firstName: `m-t${n}-x`,
    }));
    assert.match(describeTenants(planTenants(many, [])), /200 to migrate: t0, .*, t19, 180 more$/);
  });
});
