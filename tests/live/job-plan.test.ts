import assert from "node:assert/strict";
import { waitFor } from "../../local/cluster/progress.ts";
import type { Run } from "../../local/pulumi.ts";
import type { Job } from "../../src/cluster/objects.ts";
import { podsOf, workloadSelector } from "../../src/cluster/pods.ts";
import { names, planAnnotation } from "../../src/manifests/names.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";
import { UnmanagedDeployment } from "../support/unmanaged.ts";

const stack = liveStack("job-plan");
const { kubectl, namespace } = stack;
const server = new UnmanagedDeployment(kubectl, namespace);
/** The runner's advisory lock. */
const lockKey = Buffer.from("alembic!").readBigInt64BE();
const [head, previous] = ["add_plugin_execution", "a1b2c3d4e5f6"];

const run = async (verb: "preview" | "up", values: Record<string, string> = {}, flags: readonly string[] = []) =>
  (await stack.engine({ database: "external", ...values })).run(verb, flags);

function succeeded({ exitCode, output }: Run): string {
  assert.equal(exitCode, 0, output);
  return output;
}

/** Runs a statement in a database of the server. */
async function psql(database: string, statement: string, timeoutSeconds = 30): Promise<string> {
  const command = ["psql", "-U", "homelab_user", "-d", database, "-Atc", statement];
  return (await kubectl.run(["exec", "deployment/postgres", "--", ...command], "", timeoutSeconds)).trim();
}

describe("a Job that is bound to its plan", () => {
  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    await server.apply("database.yaml");
    await server.rolledOut("postgres");
    succeeded(await run("up", { databaseUrl: server.databaseUrl }));
  });
  after(() => stack.remove());

  it("refuses a database that was set back since, and the next `up` plans again", async () => {
    const values = { databaseUrl: server.databaseUrl, lockTimeoutSeconds: "4" }; // other work than before
    const holds = `SET application_name = 'holder'; SELECT pg_advisory_lock(${lockKey}), pg_sleep(300)`;
    const ended = assert.rejects(psql("homelab_db", holds, 310));
    const sessions = "FROM pg_stat_activity WHERE application_name = 'holder'";
    const isHeld = `SELECT count(*) > 0 FROM pg_locks JOIN (SELECT pid ${sessions}) a USING (pid) WHERE granted AND locktype = 'advisory'`;
    await waitFor("the lock", async () => (await psql("homelab_db", isHeld)) === "t");
    const running = run("up", values);
    const log = ["logs", workloadSelector(names.migrateJob), "--tail=-1"];
    const waits = async () => /Waiting for another migration: .*holder/.test(await kubectl.run(log));
    await waitFor("the migrate Job's log", waits, { timeoutSeconds: 120 });
    await kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", "downgrade", "-1"]);
    await psql("homelab_db", `SELECT pg_terminate_backend(pid) ${sessions}`);
    const [refused] = await Promise.all([running, ended]);

    assert.notEqual(refused.exitCode, 0, refused.output);
    assert.match(
      refused.output,
      new RegExp(`the database is at ${previous}, but plan v4-[0-9a-f]{16} leads from ${head} to ${head}: `),
    );
    assert.match(refused.output, /No changes were made\. Run: pulumi up, which makes a new plan\./);
    assert.equal(await psql("homelab_db", "SELECT version_num FROM alembic_version"), previous);

    assert.match(succeeded(await run("up", values)), /Job \S+-2 will be created: \S+ failed/);
    assert.equal(await psql("homelab_db", "SELECT version_num FROM alembic_version"), head);
    assert.match(succeeded(await run("preview", values, ["--expect-no-changes"])), /-2 is unchanged: already complete/);
  });

  it("keeps the plan that `pulumi-alembic apply` created it with, also by another `up`", async () => {
    const values = { databaseUrl: server.databaseUrl, lockTimeoutSeconds: "4" };
    await kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", "downgrade", "-1"]);
    const { code, stdout, stderr } = await unity("apply", "--json", "--config-file", stack.configFile);
    assert.equal(code, 0, stderr);
    const { job: name } = JSON.parse(stdout) as { job: string };
    const planOf = async () =>
      (await kubectl.get<Job>("job", name)).spec?.template.metadata?.annotations?.[planAnnotation];
    const plan = await planOf();
    assert.deepEqual(JSON.parse(plan ?? "").from, [previous]);
    const kept = new RegExp(`Job ${name} is unchanged: already complete`);
    assert.match(succeeded(await run("up", values)), kept);
    assert.equal(await planOf(), plan);
    assert.match(succeeded(await run("preview", values, ["--expect-no-changes"])), kept);
  });

  it("refuses a database other than the one that the plan was read from", async () => {
    await psql("homelab_db", "CREATE DATABASE second");
    const values = { databaseUrl: server.databaseUrl.replace(/homelab_db$/, "second"), lockTimeoutSeconds: "6" };
    const { exitCode, output } = await run("up", values);
    assert.notEqual(exitCode, 0, output);
    assert.match(
      output,
      /DATABASE_URL leads to database second \(oid \d+, server \d+\), but the plan was made for database homelab_db /,
    );
    assert.equal(await psql("second", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");

    await kubectl.run(["scale", "deployment/unity-backend", "--replicas=0"]);
    const areGone = async () => (await podsOf(kubectl, names.backend)).length === 0; // `exec` reaches one that stops.
    await waitFor("the backend's pods to stop", areGone, { timeoutSeconds: 120 });
    assert.match(succeeded(await run("up", values)), /Pending: at most 8 of 8 revisions/);
    assert.equal(await psql("second", "SELECT version_num FROM alembic_version"), head);
    assert.match(succeeded(await run("preview", values, ["--expect-no-changes"])), /Database is up to date/);
  });
});
