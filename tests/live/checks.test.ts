import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkNames } from "../../src/checks/names.ts";
import { type CheckResult, expectedOf } from "../../src/checks/result.ts";
import { expectedOutputs } from "../../src/cli/chain/expected-outputs.ts";
import { head } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { unityTarget } from "../../src/preflight/options.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";
import { type BrokenState, brokenStates, loggedBrokenStates, type Step } from "./broken-states.ts";

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
const { configFile } = stack;

/** Runs the checks. Returns the exit code, the results, and the findings of failed checks. */
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

describe("the checks", () => {
  before(async () => {
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(() => stack.remove());

  it("pass after `up`, and leave no execution and no changed plugin", async () => {
    const before = await everything();
    const { code, results, stderr } = await verify();
    assert.equal(code, 0, JSON.stringify(results));
    assert.deepEqual(
      results.map(({ name }) => name),
      checkNames,
    );
    assert.match(stderr, /^execution: PASS \(\d+\.\ds\)$/m);
    assert.equal(await everything(), before);
    assert.match(before, /execution\|0\nmetric\|0$/);
  });

  it("give the same results by the documented commands", async () => {
    const lock = readLock(join(projectRoot, "backend/migrations.lock.json"));
    const context = process.env.UNITY_CONTEXT ?? "";
    const place = { context, namespace: stack.namespace };
    const target = { ...unityTarget, ...place, head: head(lock), toleratedRevisions: [], owned: true };
    const outputs = expectedOutputs(expectedOf(target, lock)).filter(({ command }) => command.startsWith("kubectl"));
    assert.equal(outputs.length, checkNames.length - 2); // but for `reversible` and `drift`
    const undo = ["DELETE FROM plugin_metrics", "DELETE FROM plugin_executions", "UPDATE plugins SET enabled = false"];
    try {
      for (const { command, output } of outputs) {
        const { stdout } = await promisify(execFile)("sh", ["-c", command]);
        const printed = stdout.replaceAll(/\s/g, "");
        for (const line of output) {
          const parts = line.replaceAll(/\s/g, "").split("…");
          const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*?");
          assert.match(printed, new RegExp(pattern), command);
        }
      }
    } finally {
      await psql(...undo);
    }
  });

  it("are run by name", async () => {
    const { code, results } = await verify("tables", "revision");
    assert.deepEqual([code, results.map(({ name }) => name)], [0, ["revision", "tables"]]);
  });

  async function take(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (typeof step !== "string") await kubectl.run(step, "", 60);
      else await psql(step).catch((error: Error) => assert.match(error.message, /could not create unique index/));
    }
  }

  /** Breaks the state, runs the checks, and fixes it. */
  function finds({ what, names = [], settings, steps, failed, fix }: BrokenState): void {
    it(`find ${what} only`, async () => {
      const usual = readFileSync(configFile, "utf8");
      await take(steps);
      if (settings !== undefined) writeFileSync(configFile, usual.replace(/^config:\n/m, `config:\n${settings}`));
      const found = await verify(...names).finally(async () => {
        writeFileSync(configFile, usual);
        await take(fix);
      });
      assert.equal(found.code, 1);
      assert.deepEqual(Object.keys(found.failed).sort(), Object.keys(failed).sort(), JSON.stringify(found.failed));
      for (const [name, text] of Object.entries(failed)) {
        if (typeof text === "string") assert.equal(found.failed[name], text);
        else assert.match(found.failed[name] ?? "", text);
      }
    });
  }

  for (const state of brokenStates) finds(state);

  it("fail `up` by name, and run again on the next one", async () => {
    await psql("DROP INDEX ix_plugin_metrics_plugin_id_timestamp");
    // A new generation of the Deployment, with the same pods.
    const rolled = await stack.engine({ rolloutTimeoutSeconds: "121" });
    const broken = await rolled.run("up");
    assert.notEqual(broken.exitCode, 0);
    assert.match(
      broken.output,
      /Check schema failed after .*\n.*expected: .*\n.*actual: {5}missing: index ix_plugin_metrics/,
    );
    assert.doesNotMatch(broken.output, /Check (?!schema|drift)\S+ failed/);
    await psql("CREATE INDEX ix_plugin_metrics_plugin_id_timestamp ON plugin_metrics (plugin_id, timestamp)");
    const fixed = await rolled.run("up");
    assert.equal(fixed.exitCode, 0, fixed.output);
    const { checks } = (await rolled.outputs()) as { checks: Record<string, CheckResult> };
    assert.equal(checks.schema?.found, checks.schema?.expected);
    assert.equal((await rolled.run("preview", ["--expect-no-changes"])).exitCode, 0);
  });

  for (const state of loggedBrokenStates) finds(state);

  it("restore the data when they fail, and `pulumi-alembic logs` marks database errors", async () => {
    assert.match(await everything(), /execution\|0\nmetric\|0$/);
    const { stdout } = await unity("logs", "--config-file", configFile);
    assert.match(stdout, /^! \[pod\/unity-backend-\S+\/unity-backend\] .*database error in POST/m);
    assert.ok(!stdout.includes("\u001b"));
    const where = ["--context", process.env.UNITY_CONTEXT ?? "", "--namespace", kubectl.namespace];
    const asApp = await unity("logs", "--app", "unity", ...where);
    assert.match(asApp.stdout, /^! \[pod\/unity-backend-\S+\/unity-backend\] .*database error in POST/m);
  });

  it("fail when no pod is ready", async () => {
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
