import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Run } from "../../local/pulumi.ts";
import type { CheckResult } from "../../src/checks/result.ts";
import type { Pod } from "../../src/cluster/objects.ts";
import { newestServingPod } from "../../src/cluster/pods.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";
import { startProbe } from "../support/probe.ts";

const stack = liveStack("roles");
const { kubectl } = stack;
const password = () => randomBytes(12).toString("base64url");
const [first, second] = [password(), password()];
const two = { databaseRoles: "separate", initContainer: "wait", applicationPassword: first };

async function up(values: Readonly<Record<string, string>> = {}): Promise<Run> {
  return (await stack.engine(values)).run("up");
}
async function succeeds(values: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exitCode, output } = await up(values);
  assert.equal(exitCode, 0, output);
  for (const secret of [first, second]) assert.ok(!output.includes(secret), "a password is in the output");
  return output;
}
const psql = async (...statements: readonly string[]) => {
  const words = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-v", "ON_ERROR_STOP=1", "-Atq"];
  const command = [...words, ...statements.flatMap((each) => ["-c", each])];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
/** Runs a statement as the backend's role, in its pod, and rolls it back. */
const asApplication = async (statement: string) => {
  const program = `import os, psycopg
connection = psycopg.connect(os.environ["DATABASE_URL"])
print(connection.execute("""${statement}""").fetchone())`;
  const pod = await newestServingPod(kubectl, "unity-backend");
  return (await kubectl.exec(pod, "unity-backend", ["python", "-c", program])).trim();
};
/** Runs a check. Returns its result. */
async function found(name: string): Promise<CheckResult> {
  const { stdout } = await unity("verify", "--json", "--config-file", stack.configFile, name);
  return (JSON.parse(stdout) as readonly [CheckResult])[0];
}
const secrets = async () => (await kubectl.run(["get", "secrets", "--output=name"])).trim().split("\n").sort();

describe("a stack with separate roles", () => {
  before(() => succeeds());
  after(() => stack.remove());

  it("replaces one role by one `up`, then expects no changes", async () => {
    const before = await found("privileges");
    assert.deepEqual([before.passed, before.found], [true, "shared database role"]);
    await succeeds(two);
    assert.equal(await asApplication("SELECT current_user"), "('homelab_app',)");
    assert.deepEqual(await secrets(), ["secret/unity-database-homelab-app", "secret/unity-migrations"]);
    const preview = await (await stack.engine()).run("preview", ["--expect-no-changes"]);
    assert.equal(preview.exitCode, 0, preview.output);
  });

  it("lets the application read and write every table, but not change the schema", async () => {
    const { passed, found: what, expected } = await found("privileges");
    assert.ok(passed, what);
    assert.match(expected, /^role homelab_app: read\/write on 17 tables, no DDL$/);
    assert.match(
      await asApplication("INSERT INTO plugin_executions (plugin_id) SELECT id FROM plugins RETURNING 1"),
      /1/,
    );
    for (const statement of [
      "CREATE TABLE mine ()",
      "DROP TABLE plugins",
      "UPDATE alembic_version SET version_num = ''",
    ])
      await assert.rejects(asApplication(statement), /permission denied|must be owner/);
  });

  it("names missing and excess privileges of the application", async () => {
    await psql("REVOKE INSERT, DELETE ON plugins FROM homelab_app", "GRANT CREATE ON SCHEMA public TO homelab_app");
    const { passed, found: what } = await found("privileges");
    assert.equal(passed, false);
    assert.match(what, /^no INSERT, DELETE on plugins, can create in schema public, can create a table$/);
    await psql("GRANT INSERT, DELETE ON plugins TO homelab_app", "REVOKE CREATE ON SCHEMA public FROM homelab_app");
    assert.ok((await found("privileges")).passed);
  });

  it("has pods of the restricted Pod Security Standard, each with its own account", async () => {
    const pod = (securityContext: object) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "intruder" },
        spec: { containers: [{ name: "intruder", image: "localhost/none:1", securityContext }] },
      });
    const create = (object: string) => kubectl.run(["create", "--filename=-"], object);
    await assert.rejects(create(pod({ privileged: true })), /[Ff]orbidden/);
    await assert.rejects(create(pod({})), /violates PodSecurity "restricted:latest": allowPrivilegeEscalation/);
    const { items } = await kubectl.get<{ items: (Pod & { spec: { serviceAccountName: string } })[] }>("pods");
    const accounts = new Set(items.map(({ spec }) => spec.serviceAccountName));
    assert.deepEqual([...accounts].sort(), ["unity-backend", "unity-migrations", "unity-postgres"]);
  });

  it("still shows the database's revision and the runs", async () => {
    const command = (...words: string[]) => unity(...words, "--config-file", stack.configFile);
    assert.match((await command("status")).stdout, /head add_plugin_execution/);
    assert.match((await command("history")).stdout, /succeeded/);
    assert.match(await asApplication("SELECT outcome FROM pulumi_alembic.runs"), /succeeded/);
    const refused = await command("apply", "--method", "exec");
    assert.equal(refused.code, 0, "nothing is pending");
  });

  it("keeps serving when the same role is given another password", async () => {
    await using probe = await startProbe(kubectl, stack.namespace);
    const { exitCode, output } = await up({ applicationPassword: second });
    assert.deepEqual((await probe.stop()).failures, []);
    assert.notEqual(exitCode, 0);
    assert.match(output, /password authentication failed for user "homelab_app"/);
    assert.ok(!output.includes(second));
    assert.equal(await asApplication("SELECT current_user"), "('homelab_app',)");
  });

  it("rotates the application's password without a failed request (F26)", async () => {
    await succeeds({ applicationPassword: first });
    await using probe = await startProbe(kubectl, stack.namespace);
    await succeeds({ applicationPassword: second, applicationRole: "homelab_app_2", restorePoint: "true" });
    const { requests, failures } = await probe.stop();
    assert.deepEqual(failures, []);
    assert.ok(requests >= 20, `${requests} requests`);
    assert.equal(await asApplication("SELECT current_user"), "('homelab_app_2',)");
    assert.deepEqual(await secrets(), ["secret/unity-database-homelab-app-2", "secret/unity-migrations"]);
    await psql("DROP OWNED BY homelab_app", "DROP ROLE homelab_app");
    assert.ok((await found("privileges")).passed);
    assert.ok((await found("execution")).passed);
  });

  it("restores a restore point with privileges of a dropped role", async () => {
    const command = (...words: string[]) => unity("restore", ...words, "--config-file", stack.configFile);
    const [point] = JSON.parse((await command("--list", "--json")).stdout) as readonly [{ name: string }];
    await psql("DROP TABLE plugin_alerts");
    const { code, stderr } = await command(point.name, "--yes");
    assert.equal(code, 0, stderr);
    const { passed, found: what } = await found("privileges");
    assert.ok(passed, what);
  });

  it("uses existing Secrets without reading their values, and follows changes", async () => {
    const mine = { databaseSecret: "mine", migrationSecret: "my-migrations" };
    const missing = await up(mine);
    assert.notEqual(missing.exitCode, 0);
    assert.match(missing.output, /Secret "mine" \(unity:databaseSecret\) not found/);
    assert.match(missing.output, /missing Secrets in .*; no changes were made:/);
    assert.match(
      missing.output,
      /-n unity-test-roles create secret generic my-migrations --from-file=DATABASE_URL=<file>/,
    );

    for (const [from, to] of [
      ["unity-database-homelab-app-2", "mine"],
      ["unity-migrations", "my-migrations"],
    ] as const) {
      const { data } = await kubectl.get<{ data: Record<string, string> }>("secret", from);
      const copy = { apiVersion: "v1", kind: "Secret", metadata: { name: to }, data };
      await kubectl.run(["create", "--filename=-"], JSON.stringify(copy));
    }
    await succeeds(mine);
    assert.deepEqual(await secrets(), ["secret/mine", "secret/my-migrations"]);
    const pods = await newestServingPod(kubectl, "unity-backend");
    await kubectl.run(["label", "secret", "mine", "rotated=yes"]);
    await succeeds();
    assert.notEqual(await newestServingPod(kubectl, "unity-backend"), pods, "a changed Secret replaces the pods");
  });
});
