import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { MigrationFleet, type MigrationFleetArgs } from "../../components/migration-fleet.ts";
import type { FleetTarget } from "../../src/fleet/fleet.ts";
import type { TenantAttempt } from "../../src/fleet/plan.ts";
import { unity } from "../../src/manifests/app.ts";
import { migration } from "../../src/manifests/migrate-job.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { find, record } from "../support/recorder.ts";

const tenants = ["acme", "beta", "gamma"].map((name) => ({ name, secretName: `database-${name}` }));
const args: MigrationFleetArgs = {
  app: unity,
  namespace: "unity",
  context: "c",
  image: "localhost/unity-backend:1",
  imagePullPolicy: "IfNotPresent",
  tenants,
  lock: linearLock("r1", "r2", "r3"),
  runnerFiles: { "migrate.py": "" },
  timeouts: { lockTimeoutSeconds: 1, statementTimeoutSeconds: 2, deadlineSeconds: 3, awaitTimeoutSeconds: 4 },
};

async function declare(changed: Partial<MigrationFleetArgs> = {}) {
  const { registrations, result } = await record({}, () => {
    const before = new k8s.core.v1.Namespace("before");
    return new MigrationFleet("fleet", { ...args, ...changed }, { dependsOn: before });
  });
  const jobs = registrations.filter(({ type }) => type === "kubernetes:batch/v1:Job");
  const { inputs, dependencies } = find(registrations, "command:local:Command", "fleet-completion");
  return { registrations, jobs, component: result, command: inputs, dependencies };
}
const targetOf = (command: Record<string, unknown>) => JSON.parse(String(command.stdin)) as FleetTarget;
const specOf = ({ inputs }: { inputs: Record<string, unknown> }) =>
  inputs.spec as { suspend: boolean; template: { spec: { containers: { env: unknown[] }[] } } };

describe("MigrationFleet", () => {
  it("gives each tenant's Job the configured pod, and another name", async () => {
    const [before, after] = [await declare(), await declare({ pod: { env: [{ name: "A", value: "b" }] } })];
    assert.notDeepEqual(after.component.jobNames, before.component.jobNames);
    for (const job of after.jobs)
      assert.deepEqual(specOf(job).template.spec.containers[0]?.env.at(-1), { name: "A", value: "b" });
  });

  it("declares a ConfigMap, and per tenant a suspended Job with name, label and Secret", async () => {
    const { registrations, jobs, component } = await declare();
    const runner = find(registrations, "kubernetes:core/v1:ConfigMap", "fleet-runner");
    assert.equal(registrations.filter(({ type }) => type === runner.type).length, 1);
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "fleet-account");
    assert.deepEqual(runner.dependencies, [find(registrations, "kubernetes:core/v1:Namespace", "before").urn]);
    for (const [index, { name, secretName }] of tenants.entries()) {
      const job = jobs[index];
      assert.ok(job);
      const { name: jobName, labels } = job.inputs.metadata as { name: string; labels: Record<string, string> };
      assert.match(jobName, new RegExp(`^unity-db-migrate-${name}-[0-9a-f]{10}$`));
      assert.equal(component.jobNames[name], jobName);
      assert.equal(labels["pulumi-alembic/tenant"], name);
      assert.equal(specOf(job).suspend, true);
      assert.ok(JSON.stringify(specOf(job)).includes(`"${secretName}"`));
      assert.deepEqual([...job.dependencies].sort(), [account.urn, runner.urn].sort());
    }
  });

  it("starts and waits for all in one command, canaries first, in the given order", async () => {
    const { jobs, command, dependencies } = await declare({ canaries: ["gamma"], parallelism: 2 });
    const target = targetOf(command);
    assert.deepEqual(
      target.jobs.map(({ tenant, canary }) => [tenant, canary]),
      [
        ["gamma", true],
        ["acme", false],
        ["beta", false],
      ],
    );
    assert.deepEqual([target.parallelism, target.timeoutSeconds, target.workload], [2, 604, "unity-db-migrate"]);
    assert.deepEqual([...dependencies].sort(), jobs.map(({ urn }) => urn).sort());
  });

  it("gives another attempt a new name and resource, and keeps those of the others", async () => {
    const before = await declare();
    const beta: TenantAttempt = { tenant: "beta", attempt: 2, name: "", action: "run", reason: "", started: false };
    const { component, jobs } = await declare({ attempts: [beta] });
    assert.equal(component.jobNames.beta, `${before.component.jobNames.beta}-2`);
    assert.equal(component.jobNames.acme, before.component.jobNames.acme);
    assert.deepEqual(
      jobs.filter(({ urn }) => !before.jobs.some((job) => job.urn === urn)).map(({ inputs }) => inputs.metadata),
      [jobs[1]?.inputs.metadata],
    );
  });

  it("doesn't suspend a started Job", async () => {
    const acme: TenantAttempt = { tenant: "acme", attempt: 1, name: "", action: "attach", reason: "", started: true };
    const { jobs } = await declare({ attempts: [acme] });
    assert.deepEqual(
      jobs.map((job) => specOf(job).suspend),
      [false, true, true],
    );
  });

  it("shortens long names with a hash, to the length of a label", async () => {
    const long = `customer-${"x".repeat(60)}`;
    const { component } = await declare({
      tenants: [
        { name: `${long}1`, secretName: "one" },
        { name: `${long}2`, secretName: "two" },
      ],
    });
    const [one = "", two = ""] = Object.values(component.jobNames);
    assert.notEqual(one, two);
    for (const name of [one, two]) assert.ok(`${name}-99999`.length <= 63, name);
  });

  it("reports all invalid arguments together", async () => {
    const invalid = {
      tenants: [
        { name: "Acme!", secretName: "s" },
        { name: "beta", secretName: "s" },
        { name: "beta", secretName: "s" },
      ],
      canaries: ["delta"],
      parallelism: 0,
    };
    await assert.rejects(declare(invalid), (error: Error) => {
      assert.ok(pulumi.ResourceError.isInstance(error) && error.hideStack, error.message);
      for (const text of ['name "Acme!"', 'duplicate tenant name "beta"', 'canary "delta"', "parallelism 0"])
        assert.ok(error.message.includes(text), `${text} in ${error.message}`);
      return true;
    });
  });
});

describe("migration of a single database", () => {
  it("has no tenant in its name and labels", () => {
    const { jobName, jobSpec, configMapName } = migration({ ...args, secretName: "unity-database" });
    assert.match(jobName(1), /^unity-db-migrate-[0-9a-f]{10}$/);
    assert.match(configMapName, /^unity-db-migrate-runner-[0-9a-f]{10}$/);
    const { template } = jobSpec() as unknown as { template: { metadata: { labels: object } } };
    assert.deepEqual(template.metadata.labels, {
      "app.kubernetes.io/name": "unity-db-migrate",
      "app.kubernetes.io/part-of": "unity",
    });
  });
});
