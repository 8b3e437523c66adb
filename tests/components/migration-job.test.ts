import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { MigrationJob } from "../../components/migration-job.ts";
import type { MigrationPlan } from "../../components/migration-plan.ts";
import { unity } from "../../src/manifests/app.ts";
import type { MigrationOptions } from "../../src/manifests/migrate-job.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { planOf } from "../support/plans.ts";
import { find, record, whenKnown } from "../support/recorder.ts";

/** Options of a migration. */
interface Options extends MigrationOptions {
  /** Plan for the runner. */
  readonly jobPlan?: string;
}

const defaults: Options = {
  app: unity,
  image: "localhost/unity-backend:1",
  imagePullPolicy: "IfNotPresent",
  secretName: "unity-database",
  lock: linearLock("r1", "r2", "r3"),
  runnerFiles: { "migrate.py": "import runner_part", "runner_part.py": "print('part')" },
  timeouts: { lockTimeoutSeconds: 1, statementTimeoutSeconds: 2, deadlineSeconds: 3, awaitTimeoutSeconds: 4 },
};

async function declare(changed: Partial<Options> = {}, more: Partial<MigrationPlan> = {}) {
  const { image, secretName, pod, jobPlan, ...options } = { ...defaults, ...changed };
  const plan = { ...planOf(options, { image, secretName, pod }), jobPlan, ...more };
  const { registrations, result } = await record({}, () => {
    const before = new k8s.core.v1.Namespace("before");
    return new MigrationJob("migration", { plan }, { dependsOn: before });
  });
  const { configMapName } = result;
  const component = { result, configMapName, jobName: await whenKnown(result.jobName) };
  return { registrations, job: find(registrations, "kubernetes:batch/v1:Job", "migration-job"), component };
}

describe("MigrationJob", () => {
  for (const [what, plan] of [
    ["that is not awaited", Promise.resolve({})],
    ["that is missing", undefined],
  ] as const) {
    it(`rejects a plan ${what}`, async () => {
      const declared = record({}, () => new MigrationJob("single", { plan: plan as never }));
      await assert.rejects(declared, { message: /^invalid plan: must be the result of await planMigration/ });
    });
  }

  it("declares the runner's ConfigMap and the Job as children, after its dependencies", async () => {
    const { registrations, job, component } = await declare();
    const own = find(registrations, MigrationJob.token, "migration");
    const runner = find(registrations, "kubernetes:core/v1:ConfigMap", "migration-runner");
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "migration-account");
    assert.equal(registrations.length, 7); // with the component itself and the namespace before it
    assert.deepEqual([runner.parent, job.parent], [own.urn, own.urn]);
    assert.deepEqual(runner.dependencies, [find(registrations, "kubernetes:core/v1:Namespace", "before").urn]);
    assert.deepEqual(new Set(job.dependencies), new Set([account.urn, runner.urn]));
    assert.deepEqual(job.inputs.metadata, {
      annotations: {
        "pulumi.com/patchForce": "true",
        "pulumi.com/skipAwait": "true",
        "pulumi-alembic/owner": "unity/test",
      },
      name: component.jobName,
      namespace: "unity",
      labels: { "app.kubernetes.io/name": "unity-db-migrate", "app.kubernetes.io/part-of": "unity" },
    });
  });

  it("declares a wait for each Job", async () => {
    const { registrations, job, component } = await declare();
    const { inputs, parent, dependencies } = find(registrations, "command:local:Command", "migration-completion");
    assert.equal(parent, find(registrations, MigrationJob.token, "migration").urn);
    assert.deepEqual(dependencies, [job.urn]);
    assert.equal(inputs.create, "job");
    assert.deepEqual(inputs.triggers, ["migration-job-uid"]);
    const target = {
      context: "c",
      namespace: "unity",
      name: component.jobName,
      timeoutSeconds: 604,
      startTimeoutSeconds: 600,
      workload: "unity-db-migrate",
      account: "unity-migrations",
    };
    assert.deepEqual(JSON.parse(String(inputs.stdin)), target);
  });

  it("declares an immutable ConfigMap with the runner and the chain", async () => {
    const { registrations, component } = await declare();
    const { inputs } = find(registrations, "kubernetes:core/v1:ConfigMap", "migration-runner");
    const data = inputs.data as Record<string, string>;
    assert.equal((inputs.metadata as { name: string }).name, component.configMapName);
    assert.equal(inputs.immutable, true);
    const { "chain.json": chain, "version-table.txt": table, ...files } = data;
    assert.deepEqual([files, table], [defaults.runnerFiles, "alembic_version\n"]);
    assert.deepEqual(JSON.parse(chain ?? "").heads, ["r3"]);
  });

  it("keeps the Job's name if nothing changes", async () => {
    assert.equal((await declare()).component.jobName, (await declare()).component.jobName);
  });

  const changes: Record<string, Partial<Options>> = {
    image: { image: "localhost/unity-backend:2" },
    chain: { lock: linearLock("r1", "r2", "r3", "r4") },
    runner: { runnerFiles: { ...defaults.runnerFiles, "runner_part.py": "print('another')" } },
    timeouts: { timeouts: { ...defaults.timeouts, deadlineSeconds: 3.5 } },
    secret: { secretName: "unity-database-2" },
    "application role": { applicationRole: { name: "app_2", secretName: "s", create: true } },
    "TLS mode": { tls: { mode: "require" } },
    "pod's variables": { pod: { env: [{ name: "A", value: "b" }] } },
    "pod's placement": { pod: { tolerations: [{ key: "pool" }] } },
    "pod's annotations": { pod: { annotations: { a: "b" } } },
    "user id": { pod: { userId: "none" } },
  };
  for (const [what, changed] of Object.entries(changes)) {
    it(`changes the Job's name with the ${what}`, async () => {
      assert.notEqual((await declare(changed)).component.jobName, (await declare()).component.jobName);
    });
  }

  it("keeps the Job's name if only its service account is annotated", async () => {
    const pod = { serviceAccountAnnotations: { role: pulumi.output("arn") } };
    const { registrations, component } = await declare({ pod });
    assert.equal(component.jobName, (await declare()).component.jobName);
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "migration-account");
    assert.equal((account.inputs.metadata as k8s.types.output.meta.v1.ObjectMeta).annotations.role, "arn");
  });

  it("keeps the configured annotations beside the plan", async () => {
    const { job } = await declare({ jobPlan: "the plan", pod: { annotations: { a: "b" } } });
    const { template } = job.inputs.spec as k8s.types.output.batch.v1.JobSpec;
    assert.deepEqual(template.metadata.annotations, { a: "b", "pulumi-alembic/plan": "the plan" });
  });

  it("rejects an output in its pod, because its name depends on it", () => {
    const value = pulumi.output("b") as unknown as string;
    const message = /pod\.env\[0\]\.value "an output": must be a plain value, because the Job's name depends on it/;
    return assert.rejects(declare({ pod: { env: [{ name: "A", value }] } }), message);
  });

  it("gives the Job's pods the plan, and names the Job without it", async () => {
    const [without, withPlan] = [await declare(), await declare({ jobPlan: "the plan" })];
    assert.equal(withPlan.component.jobName, without.component.jobName);
    const [before, after] = [without.job.inputs.spec, withPlan.job.inputs.spec] as k8s.types.output.batch.v1.JobSpec[];
    assert.deepEqual(after?.template.metadata.annotations, { "pulumi-alembic/plan": "the plan" });
    assert.deepEqual(after?.template.spec, before?.template.spec);
    assert.deepEqual(
      after?.template.spec.containers[0]?.env.find(({ name }) => name === "MIGRATION_PLAN"),
      { name: "MIGRATION_PLAN", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['pulumi-alembic/plan']" } } },
    );
  });

  it("has names that are valid labels of pods", async () => {
    const { component } = await declare();
    assert.match(component.jobName, /^unity-db-migrate-[0-9a-f]{10}$/);
    assert.match(component.configMapName, /^unity-db-migrate-runner-[0-9a-f]{10}$/);
  });
});
