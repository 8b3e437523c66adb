import assert from "node:assert/strict";
import { checkNames } from "../../src/checks/names.ts";
import type { Pod } from "../../src/cluster/objects.ts";
import { newestServingPod, podsOf } from "../../src/cluster/pods.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("up");
const { kubectl } = stack;

/** The part of a Job that is read here. */
interface Job {
  readonly metadata: { readonly name: string };
  readonly status: { readonly completionTime?: string; readonly succeeded?: number };
}

const jobs = async () => (await kubectl.get<{ items: Job[] }>("jobs")).items;
const inBackend = async (...command: string[]) =>
  kubectl.exec(await newestServingPod(kubectl, "unity-backend"), "unity-backend", command);
const psql = async (...options: string[]) =>
  kubectl.exec("deployment/postgres", "postgres", ["psql", "-U", "homelab_user", "-d", "homelab_db", ...options]);
const everyPod = async () =>
  (await kubectl.get<{ items: Pod[] }>("pods")).items.map(({ metadata }) => metadata.name).sort();

describe("one up on an empty namespace", () => {
  before(async () => {
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(() => stack.remove());

  it("creates no backend pod before the Job is complete, by the API's timestamps", async () => {
    const [job, ...others] = await jobs();
    assert.equal(others.length, 0);
    assert.equal(job?.status.succeeded, 1);
    const backend = await podsOf(kubectl, "unity-backend");
    assert.ok(backend.length > 0);
    for (const { metadata } of backend) {
      const created = metadata.creationTimestamp ?? "";
      assert.ok(created >= (job?.status.completionTime ?? "~"), `${metadata.name} was created too early`);
    }
  });

  it("brings the database to the head, as `alembic current` says", async () => {
    assert.equal((await inBackend("alembic", "current")).trim(), "add_plugin_execution (head)");
  });

  it("makes the 17 tables and Alembic's own, as psql lists them", async () => {
    const tables = (await psql("-Atc", "\\dt")).trim().split("\n");
    assert.equal(tables.length, 18);
    for (const name of ["plugin_executions", "plugin_metrics", "plugin_alerts", "alembic_version"]) {
      assert.ok(
        tables.some((line) => line.includes(`|${name}|`)),
        `${name} among ${tables.join(" ")}`,
      );
    }
  });

  it("serves health and plugins", async () => {
    const health = JSON.parse(await inBackend("curl", "-s", "http://localhost:8000/health"));
    assert.equal(health.status, "healthy");
    assert.equal(health.components.database.status, "healthy");
    assert.ok(Array.isArray(JSON.parse(await inBackend("curl", "-s", "http://localhost:8000/api/plugins"))));
  });

  it("says what it did in its outputs: the head, the Job, and every check passed", async () => {
    const outputs = (await (await stack.engine()).outputs()) as {
      head: string;
      jobName: string;
      checks: Record<string, { passed: boolean; found: string }>;
    };
    assert.equal(outputs.head, "add_plugin_execution");
    assert.deepEqual(
      (await jobs()).map(({ metadata }) => metadata.name),
      [outputs.jobName],
    );
    const passed = Object.entries(outputs.checks).filter(([, result]) => result.passed);
    assert.deepEqual(passed.map(([name]) => name).sort(), [...checkNames].sort());
  });

  it("logs each revision with its number and its time", async () => {
    const log = await kubectl.run(["logs", `job/${(await jobs())[0]?.metadata.name}`]);
    assert.match(log, /^1\/8 {2}6a00ea433c25 {2}Initial {2}\d+\.\d\ds$/m);
    assert.match(log, /^8\/8 {2}add_plugin_execution {2}Plugin Execution {2}\d+\.\d\ds$/m);
  });

  it("does nothing the second time: no change is expected and no pod is started", async () => {
    const before = await everyPod();
    const preview = await (await stack.engine()).run("preview", ["--expect-no-changes"]);
    assert.equal(preview.exitCode, 0, preview.output);
    const { exitCode, output } = await (await stack.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
    assert.deepEqual(await everyPod(), before);
  });

  it("shows the password in neither output, pods, stack outputs, nor stack files", async () => {
    const secret = await kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const password = Buffer.from(secret.data.POSTGRES_PASSWORD ?? "", "base64").toString();
    assert.ok(password.length > 10);
    const engine = await stack.engine();
    const seen = [
      (await engine.run("preview", ["--diff"])).output,
      JSON.stringify(await engine.outputs()),
      await kubectl.run(["get", "pods,jobs,deployments,configmaps", "--output=json"]),
      stack.storedText(),
    ];
    assert.ok(stack.storedText().includes("unity-database"), "the state is among the files");
    for (const text of seen) {
      for (const form of [password, secret.data.POSTGRES_PASSWORD ?? password]) assert.ok(!text.includes(form));
    }
  });

  it("keeps the data when PostgreSQL's pod goes", async () => {
    await psql("-c", "CREATE TABLE kept (id int)", "-c", "INSERT INTO kept VALUES (42)");
    const [old] = await podsOf(kubectl, "postgres");
    await kubectl.run(["delete", "pod", old?.metadata.name ?? "", "--wait=true"], "", 60);
    await kubectl.run(["rollout", "status", "deployment/postgres", "--timeout=120s"], "", 130);
    const pod = await newestServingPod(kubectl, "postgres");
    assert.notEqual(pod, old?.metadata.name);
    assert.equal((await psql("-Atc", "SELECT id FROM kept")).trim(), "42");
    await psql("-c", "DROP TABLE kept");
  });
});
