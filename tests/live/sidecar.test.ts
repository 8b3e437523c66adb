import assert from "node:assert/strict";
import { type Job, jobState } from "../../src/cluster/objects.ts";
import { podsOf } from "../../src/cluster/pods.ts";
import { exampleStack } from "../support/example-stack.ts";
import { type Injector, startInjector } from "../support/injector.ts";

const { UNITY_OWN_CLUSTER } = process.env;
const workload = "notes-db-migrate";

describe("a sidecar that never ends, which the cluster injects into the migration's pod", () => {
  const endless = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"];
  const sidecar = { name: "mesh-proxy", command: endless };
  let injector: Injector;

  before(function () {
    if (UNITY_OWN_CLUSTER !== "true") this.skip(); // its API server has to reach this machine
  });
  after(() => injector?.remove());
  const stack = exampleStack("notes", "sidecar", async () => {
    injector = await startInjector(kubectl, kubectl.namespace, workload, sidecar);
  });
  const { kubectl } = stack;

  const jobs = async () => (await kubectl.get<{ items: Job[] }>("jobs")).items;

  it("does not fail a good migration, whose Job completes", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("up");
    assert.equal(exitCode, 0, output);
    assert.equal(injector.count, 1);
    assert.match(output, /Last log lines of the migration, whose pod was ended:[\s\S]*3\/3 {2}0003/);
    assert.equal(await stack.server.psql("notes", "SELECT version_num FROM alembic_version"), "0003");
    assert.deepEqual((await jobs()).map(jobState), ["complete"]);
    assert.deepEqual(await podsOf(kubectl, workload), []);
  });

  it("lets the next `up` change nothing", async () => {
    const { exitCode, output } = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(exitCode, 0, output);
    assert.equal(injector.count, 1);
  });

  it("does not fail a good migration if it fails itself, nor run the migration again", async () => {
    sidecar.command = ["sh", "-c", "exit 3"];
    await kubectl.run(["delete", "jobs", "--all"]);
    const { exitCode, output } = await (await stack.program.engine()).run("up", ["--refresh"]);
    sidecar.command = endless;
    assert.equal(exitCode, 0, output);
    assert.match(output, /container migrate succeeded, another container failed after/);
    const [job, ...others] = await jobs();
    assert.ok(job !== undefined && others.length === 0);
    assert.ok(job.status?.conditions?.some(({ type, status }) => type === "Failed" && status === "True"));
    assert.equal(jobState(job), "complete");
    const next = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(next.exitCode, 0, next.output);
  });

  it("lets a migration that fails end, so that the next `up` makes another attempt", async () => {
    await stack.server.psql("notes", "DROP TABLE alembic_version; DELETE FROM pulumi_alembic.runs");
    const engine = await stack.program.engine({}, { databaseUrl: stack.databaseUrl });
    await kubectl.run(["delete", "jobs", "--all"]);
    const { exitCode, output } = await engine.run("up", ["--refresh"]);
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /container "migrate" in pod \S+ exited with code 1[\s\S]*already exists/);
    assert.match(output, /Canceled the Job because its other containers would keep running\./);
    assert.deepEqual((await jobs()).map(jobState), ["failed"]);
  });
});
