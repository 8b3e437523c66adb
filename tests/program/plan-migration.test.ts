import assert from "node:assert/strict";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { planMigration } from "../../src/fleet/plan.ts";
import { unity } from "../../src/manifests/app.ts";
import { migration } from "../../src/manifests/migrate-job.ts";
import { migrationLabels } from "../../src/manifests/tenant.ts";
import { projectRoot } from "../../src/paths.ts";
import { loadChain } from "../../src/preflight/release.ts";
import { fakeKubectl } from "../support/fake-kubectl.ts";
import { backendOptions } from "../support/options.ts";
import { record } from "../support/recorder.ts";

const options = { ...loadChain(join(projectRoot, "backend")), ...backendOptions };
const target = { context: "here", namespace: "unity" };

/** An ended Job of a tenant's work, as the cluster lists it. */
function ended(condition: "Complete" | "Failed", tenant: string | undefined) {
  const name = migration({ ...options, tenant }).jobName(1);
  return {
    metadata: { name, labels: migrationLabels(unity, tenant), creationTimestamp: "2026-11-24T00:00:00Z" },
    status: { conditions: [{ type: condition, status: "True" }] },
  };
}

describe("planMigration", () => {
  const cases: [what: string, tenant: string | undefined, items: object[], attempt: number, action: string][] = [
    ["starts with the first attempt without a Job", undefined, [], 1, "run"],
    ["keeps a complete Job", undefined, [ended("Complete", undefined)], 1, "keep"],
    ["declares the next attempt after a failed Job", undefined, [ended("Failed", undefined)], 2, "run"],
    ["keeps a tenant's complete Job", "a", [ended("Complete", "a"), ended("Failed", "b")], 1, "keep"],
    [
      "declares the next attempt after a tenant's failed Job",
      "a",
      [ended("Failed", "a"), ended("Complete", "b")],
      2,
      "run",
    ],
    ["ignores Jobs of other tenants", "a", [ended("Failed", "b")], 1, "run"],
  ];
  for (const [what, tenant, items, attempt, action] of cases) {
    it(what, async () => {
      using fake = fakeKubectl({ jobs: { output: JSON.stringify({ items }) } });
      const planned = await planMigration({ ...options, tenant }, target, fake.kubectl);
      assert.deepEqual([planned.attempt, planned.action], [attempt, action]);
    });
  }

  it("rejects Jobs of another stack with its name", async () => {
    const job = ended("Complete", undefined);
    const annotations = { "unity/owner": "notes/first" };
    const items = [{ ...job, metadata: { ...job.metadata, annotations } }];
    using fake = fakeKubectl({ jobs: { output: JSON.stringify({ items }) } });
    const planned = record({}, () => planMigration(options, target, fake.kubectl));
    await assert.rejects(planned, /belongs to stack notes\/first, not to unity\/test; no changes were made\.\n/);
  });

  it("starts with the first attempt in the preview of a cluster that doesn't exist yet", async () => {
    const kubeconfig = pulumi.output(pulumi.unknown as string);
    const planned = await planMigration(options, { kubeconfig, namespace: "unity" });
    assert.deepEqual([planned.attempt, planned.action], [1, "run"]);
  });

  it("rejects with the cause if the cluster is unreachable", async () => {
    using fake = fakeKubectl({ jobs: { error: "Unable to connect to the server" } });
    const message = /can't list the migrate Jobs of namespace unity: Unable to connect/;
    await assert.rejects(planMigration(options, target, fake.kubectl), message);
  });
});
