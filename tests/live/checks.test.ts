import assert from "node:assert/strict";
import { checkNames } from "../../checks/names.ts";
import type { CheckResult } from "../../checks/result.ts";
import { cachePath } from "../../paths.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";

const minutes = 60_000;
const stack = liveStack("checks");
const { kubectl } = stack;
const psql = async (...statements: readonly string[]) => {
  const command = [
    "psql",
    "-U",
    "homelab_user",
    "-d",
    "homelab_db",
    "-Atq",
    ...statements.flatMap((each) => ["-c", each]),
  ];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const configFile = cachePath("stacks", "checks", "Pulumi.checks.yaml");

/** Runs the checks. @returns The exit code, and what was found by each check that failed. */
async function verify(...names: readonly string[]) {
  const { code, stdout, stderr } = await unity("verify", "--json", "--config-file", configFile, ...names);
  const results = JSON.parse(stdout) as readonly CheckResult[];
  const failed = Object.fromEntries(results.filter(({ passed }) => !passed).map(({ name, found }) => [name, found]));
  return { code, results, failed, stderr };
}
const everything = () =>
  psql(
    "SELECT 'plugin', id, enabled FROM plugins ORDER BY 2",
    "SELECT 'execution', count(*) FROM plugin_executions",
    "SELECT 'metric', count(*) FROM plugin_metrics",
  );

describe("the checks", function () {
  this.timeout(5 * minutes);

  before(async () => {
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(() => stack.remove());

  it("all pass after `up`, and leave no execution and no changed plugin behind", async () => {
    const before = await everything();
    const { code, results, stderr } = await verify();
    assert.equal(code, 0, JSON.stringify(results));
    assert.deepEqual(
      results.map(({ name }) => name),
      checkNames,
    );
    assert.match(stderr, /^execution: passed \(\d+\.\d s\)$/m);
    assert.equal(await everything(), before);
    assert.match(before, /execution\|0\nmetric\|0$/);
  });

  it("are run by name", async () => {
    const { code, results } = await verify("tables", "revision");
    assert.deepEqual([code, results.map(({ name }) => name)], [0, ["revision", "tables"]]);
  });

  const breaches: readonly [what: string, breach: readonly string[], failed: object, mend: readonly string[]][] = [
    [
      "an index that was dropped",
      ["DROP INDEX ix_plugin_metrics_plugin_id_timestamp"],
      { schema: "missing: index ix_plugin_metrics_plugin_id_timestamp" },
      ["CREATE INDEX ix_plugin_metrics_plugin_id_timestamp ON plugin_metrics (plugin_id, timestamp)"],
    ],
    [
      "a foreign key that was dropped",
      ["ALTER TABLE plugin_alerts DROP CONSTRAINT fk_plugin_alerts_plugin_id_plugins"],
      { schema: "missing: foreign key plugin_alerts(plugin_id) REFERENCES plugins ON DELETE CASCADE" },
      [
        "ALTER TABLE plugin_alerts ADD CONSTRAINT fk_plugin_alerts_plugin_id_plugins FOREIGN KEY (plugin_id) REFERENCES plugins ON DELETE CASCADE",
      ],
    ],
    [
      "a JSONB column that is none",
      ["ALTER TABLE plugin_alerts ALTER conditions DROP DEFAULT, ALTER conditions TYPE TEXT"],
      { schema: "missing: column plugin_alerts.conditions as jsonb, it is text" },
      ["ALTER TABLE plugin_alerts ALTER conditions TYPE JSONB USING '{}'::jsonb, ALTER conditions SET DEFAULT '{}'"],
    ],
    [
      "a constraint that is NOT VALID",
      ["ALTER TABLE plugins ADD CONSTRAINT named CHECK (name <> '') NOT VALID"],
      { constraints: "plugins.named" },
      ["ALTER TABLE plugins DROP CONSTRAINT named"],
    ],
    [
      "an INVALID index",
      [
        "CREATE TABLE twice (a INT)",
        "INSERT INTO twice VALUES (1), (1)",
        "CREATE UNIQUE INDEX CONCURRENTLY once ON twice (a)",
      ],
      { indexes: "once of twice" },
      ["DROP TABLE twice"],
    ],
    [
      "a table that is missing",
      ["ALTER TABLE plugin_alerts RENAME TO elsewhere"],
      { tables: "missing: plugin_alerts", schema: "missing: table plugin_alerts" },
      ["ALTER TABLE elsewhere RENAME TO plugin_alerts"],
    ],
  ];
  for (const [what, breach, failed, mend] of breaches) {
    it(`find ${what}, and nothing else`, async () => {
      await psql(...breach).catch((error: Error) => assert.match(error.message, /could not create unique index/));
      const found = await verify();
      await psql(...mend);
      assert.deepEqual([found.code, found.failed], [1, failed]);
    });
  }

  it("find a database at another revision", async () => {
    await psql("UPDATE alembic_version SET version_num = 'a1b2c3d4e5f6'");
    const { failed } = await verify();
    await psql("UPDATE alembic_version SET version_num = 'add_plugin_execution'");
    assert.deepEqual(Object.keys(failed), ["revision", "health"]);
  });

  it("fail `up` by name, and run again on the next one", async () => {
    await psql("DROP INDEX ix_plugin_metrics_plugin_id_timestamp");
    // A new generation of the Deployment, with the same pods.
    const rolled = await stack.engine({ rolloutTimeoutSeconds: "121" });
    const broken = await rolled.run("up");
    assert.notEqual(broken.exitCode, 0);
    assert.match(
      broken.output,
      /Check schema failed after .*\n.*expected: .*\n.*found: {4}missing: index ix_plugin_metrics/,
    );
    assert.doesNotMatch(broken.output, /Check (?!schema)\S+ failed/);
    await psql("CREATE INDEX ix_plugin_metrics_plugin_id_timestamp ON plugin_metrics (plugin_id, timestamp)");
    const mended = await rolled.run("up");
    assert.equal(mended.exitCode, 0, mended.output);
    const { checks } = (await rolled.outputs()) as { checks: Record<string, CheckResult> };
    assert.equal(checks.schema?.found, "all of them");
    assert.equal((await rolled.run("preview", ["--expect-no-changes"])).exitCode, 0);
  });

  it("find an execution that can't be recorded, and its error in the log, and leave the plugins as they were", async () => {
    const before = await everything();
    await psql("ALTER TABLE plugin_executions ADD CONSTRAINT none CHECK (status <> 'succeeded')");
    const { failed } = await verify("execution");
    await psql("ALTER TABLE plugin_executions DROP CONSTRAINT none");
    assert.deepEqual(failed, { execution: "503 for the execution of disk-usage" });
    const { failed: afterwards } = await verify("logs", "execution");
    assert.match(String(afterwards.logs), /^1 of \d+ lines, the last: .*database error in POST .*\/execute/);
    assert.deepEqual(Object.keys(afterwards), ["logs"]);
    await psql("DELETE FROM plugin_executions WHERE status = 'running'");
    assert.equal(await everything(), before);
    const { stdout } = await unity("logs", "--config-file", configFile);
    assert.match(stdout, /^! \[pod\/unity-backend-\S+\/unity-backend\] .*database error in POST/m);
    assert.ok(!stdout.includes("\u001b"));
  });

  it("find that no pod serves", async () => {
    await kubectl.run(["scale", "deployment/unity-backend", "--replicas=0"]);
    await kubectl.run(["wait", "pods", "--selector=app.kubernetes.io/name=unity-backend", "--for=delete"], "", 60);
    const { code, failed } = await verify("health", "execution", "revision");
    assert.equal(code, 1);
    assert.deepEqual(failed, {
      health: "no pod of unity-backend is ready (0 of its newest release)",
      execution: "no pod of unity-backend is ready (0 of its newest release)",
    });
  });
});
