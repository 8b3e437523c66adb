import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import { checkNames } from "../../src/checks/names.ts";
import type { CheckResult } from "../../src/checks/result.ts";
import type { Report } from "../../src/cli/report/report.ts";
import { podsOf } from "../../src/cluster/pods.ts";
import { projectRoot } from "../../src/paths.ts";
import { unity } from "../cli/unity.ts";
import { endWithTests, killGroup } from "../support/children.ts";
import { liveStack } from "../support/live.ts";

const head = "add_plugin_execution";
const stack = liveStack("migrate");
const { kubectl } = stack;
const run = (...words: readonly string[]) => unity(...words, "--config-file", stack.configFile);
const inBackend = (...command: readonly string[]) => kubectl.exec("deployment/unity-backend", "unity-backend", command);
const psql = async (statement: string) => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atqc", statement];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const jobNames = async () =>
  (await kubectl.get<{ items: { metadata: { name: string } }[] }>("jobs")).items.map(({ metadata }) => metadata.name);
const current = () => psql("SELECT string_agg(version_num, ', ') FROM alembic_version");

/** Output of `pulumi-alembic migrate --json`. */
interface MigrationOutcome {
  readonly current: readonly string[];
  readonly latest: string;
  readonly outcome: string;
  readonly applied: number;
  readonly job: string | null;
  readonly checks: readonly CheckResult[];
}

/** Kills the app, which Kubernetes restarts in the same pod, without init containers. */
async function restartApp(): Promise<void> {
  await inBackend("sh", "-c", "kill 1");
  const isRestarted = async () => {
    const [pod] = await podsOf(kubectl, "unity-backend");
    const [status] = pod?.status.containerStatuses ?? [];
    return status !== undefined && status.restartCount > 0 && status.state?.running !== undefined;
  };
  await waitFor("the restart of the app", isRestarted, { timeoutSeconds: 120 });
}

describe("pulumi-alembic migrate and pulumi-alembic apply", () => {
  let first: string | undefined;

  before(async () => {
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
    [first] = await jobNames();
  });
  after(() => stack.remove());

  it("migrate only verifies a database at head", async () => {
    const { code, stdout } = await run("migrate");
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`^Current: ${head}\nLatest: {2}${head}\nNo pending revisions\\.\n\nCHECK +STATUS`));
    assert.match(stdout, new RegExp(`^${checkNames.length} passed, 0 failed \\(`, "m"));
    assert.deepEqual(await jobNames(), [first]);
  });

  it("migrate applies all revisions to an uninitialized database, and verifies", async () => {
    await inBackend("alembic", "downgrade", "base");
    await restartApp();
    const { code, stdout, stderr } = await run("migrate", "--json");
    const { checks, ...rest } = JSON.parse(stdout) as MigrationOutcome;
    assert.equal(code, 0, stdout + stderr);
    const job = `${first}-2`;
    assert.deepEqual(rest, { current: [], latest: head, outcome: "applied", applied: 8, job, error: null });
    assert.ok(checks.length === checkNames.length && checks.every(({ passed }) => passed));
    assert.match(stderr, /Pending: 8 of 8 revisions/);
    assert.match(stderr, new RegExp(`^Job ${job}: complete after`, "m"));
    assert.deepEqual((await jobNames()).sort(), [first, job]);
  });

  it("migrate applies the pending revisions", async () => {
    await inBackend("alembic", "downgrade", "-1");
    const { code, stdout } = await run("migrate");
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /^Current: a1b2c3d4e5f6\nLatest: {2}add_plugin_execution\nApplied 1 revision with Job \S+-3\.\n/,
    );
  });

  it("apply shows the Job's log", async () => {
    await inBackend("alembic", "downgrade", "-1");
    const { code, stdout } = await run("apply");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^8\/8 {2}add_plugin_execution {2}Plugin Execution {2}\d+\.\d\ds$/m);
    const logs = await run("logs", "--job");
    assert.match(logs.stdout, /^ {2}8\/8 {2}add_plugin_execution/m);
  });

  it("apply by exec runs the runner in the backend's pod", async () => {
    await inBackend("alembic", "downgrade", "8f3d9e2a1c45");
    const jobs = await jobNames();
    const { code, stdout } = await run("apply", "--method", "exec");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^6\/8 {2}00001_add_plugins {2}Plugins {2}\d+\.\d\ds$/m);
    assert.match(stdout, /Database is at add_plugin_execution\.$/m);
    assert.equal(await current(), head);
    assert.deepEqual(await jobNames(), jobs);
  });

  it("apply by exec shows the error of a revision", async () => {
    await inBackend("alembic", "downgrade", "-1");
    await psql("CREATE TABLE plugin_alerts (id INT)");
    const { code, stdout } = await run("apply", "--method", "exec");
    await psql("DROP TABLE plugin_alerts");
    assert.equal(code, 1, stdout);
    assert.match(
      stdout,
      /Revision add_plugin_execution \(Plugin Execution\) failed[\s\S]*relation "plugin_alerts" already exists\nSQLSTATE 42P07/,
    );
    assert.equal(await current(), "a1b2c3d4e5f6");
    assert.equal((await run("apply", "--method", "exec")).code, 0);
  });

  it("apply by exec never runs beside another migration", async () => {
    await inBackend("alembic", "downgrade", "-1");
    const key = Buffer.from("alembic!").readBigInt64BE();
    const holder = psql(`SET application_name = 'holder'; SELECT pg_advisory_lock(${key}), pg_sleep(120)`);
    const ended = assert.rejects(holder);
    const held = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted`;
    await waitFor("the lock", async () => (await psql(held)) !== "0");
    const applying = run("apply", "--method", "exec");
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'alembic-migrate%'";
    await waitFor("the runner", async () => (await psql(waiting)) !== "0");
    assert.equal(await current(), "a1b2c3d4e5f6");
    await psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await ended;
    const { code, stdout } = await applying;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^Waiting for another migration: pid \d+ \(holder\)/m);
    assert.equal(await current(), head);
  });

  it("apply by exec leaves no migration behind when it is interrupted", async () => {
    await inBackend("alembic", "downgrade", "-1");
    const locked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'";
    const holder = psql("SET application_name = 'holder'; BEGIN; LOCK TABLE plugins; SELECT pg_sleep(120)");
    const ended = assert.rejects(holder);
    await waitFor("the lock", async () => (await psql(locked)) !== "0");
    const main = join(projectRoot, "src", "cli", "main.ts");
    const command = [main, "apply", "--method=exec", "--config-file", stack.configFile];
    const child = endWithTests(spawn(process.execPath, command, { stdio: "ignore", detached: true }));
    const sessions = "FROM pg_stat_activity WHERE application_name LIKE 'alembic-migrate%'";
    await waitFor(
      "the revision",
      async () => (await psql(`SELECT count(*) ${sessions} AND wait_event_type = 'Lock'`)) !== "0",
    );
    killGroup(child); // with kubectl, as by a lost machine
    await waitFor("the end of the sessions", async () => (await psql(`SELECT count(*) ${sessions}`)) === "0");
    const outcome = "SELECT outcome || ': ' || error FROM pulumi_alembic.runs ORDER BY id DESC LIMIT 1";
    await waitFor("the record", async () =>
      (await psql(outcome)).startsWith("interrupted: Migration interrupted by SIGTERM"),
    );
    await psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await ended;
    assert.equal(await current(), "a1b2c3d4e5f6");
    assert.equal((await run("apply", "--method", "exec")).code, 0);
  });

  it("both reject what `up` rejects, and change nothing", async () => {
    await psql("UPDATE alembic_version SET version_num = 'zz'");
    const jobs = await jobNames();
    for (const command of [["apply"], ["apply", "--method=exec"], ["migrate"]]) {
      const { code, stdout } = await run(...command);
      assert.equal(code, 1, stdout);
      assert.match(stdout, /Database is at zz, which is not in the lockfile \(8 revisions\)/);
    }
    assert.equal(await current(), "zz");
    assert.deepEqual(await jobNames(), jobs);
    await psql(`UPDATE alembic_version SET version_num = '${head}'`);
  });

  it("the next `up` adopts the Job, and leaves no other", async () => {
    const engine = await stack.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    assert.equal((await jobNames()).length, 1);
    assert.equal((await engine.run("preview", ["--expect-no-changes"])).exitCode, 0);
  });

  it("report shows a database at head with checks and runs, and pending revisions", async () => {
    const output = join(stack.folder, "report.html");
    const { code, stdout } = await run("report", "--json");
    const report = JSON.parse(stdout) as Report;
    assert.equal(code, 0, stdout);
    assert.ok("value" in report.checks && "value" in report.runs && "value" in report.plan);
    assert.ok(report.checks.value.length === checkNames.length && report.checks.value.every(({ passed }) => passed));
    assert.ok(report.revisions.every(({ status }) => status === "applied"));
    const [first] = report.runs.value;
    assert.deepEqual([first?.outcome, first?.from, first?.to, first?.error], ["succeeded", [], [head], null]);

    await inBackend("alembic", "downgrade", "-1");
    const behind = await run("report", "--output", output);
    assert.equal(behind.code, 1, behind.stdout);
    const page = readFileSync(output, "utf8");
    assert.match(page, /Database is at a1b2c3d4e5f6, behind head add_plugin_execution\./);
    assert.match(page, /Pending: 1 of 8 revisions, in this order\./);
    assert.match(page, /<caption>\d+ passed, [1-9]\d* failed<\/caption>/);
  });
});
