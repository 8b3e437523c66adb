import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import type { Run } from "../../local/pulumi.ts";
import type { Pod } from "../../src/cluster/objects.ts";
import { workloadSelector } from "../../src/cluster/pods.ts";
import { names } from "../../src/manifests/names.ts";
import { type CommandResult, unity } from "../cli/unity.ts";
import { checkout } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("going-back");
const { kubectl } = stack;
const [head, target] = ["add_plugin_execution", "a1b2c3d4e5f6"];

const run = async (verb: "preview" | "up", flags: readonly string[], values: Record<string, string>): Promise<Run> =>
  (await stack.engine(values)).run(verb, flags);
const psql = async (statement: string): Promise<string> => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atqc", statement];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const command = (...words: string[]): Promise<CommandResult> => unity(...words, "--config-file", stack.configFile);

function succeeded({ exitCode, output }: Run): string {
  assert.equal(exitCode, 0, output);
  return output;
}

describe("a downgrade", () => {
  /** Settings with restore points, at the head. */
  const forward = { restorePoint: "true" };
  /** Settings that downgrade to the previous release. */
  let back: Record<string, string>;

  before(async () => {
    using before = checkout();
    rmSync(join(before.folder, "backend/alembic/versions/1767484908_add_plugin_execution_tables.py"));
    const [image, migrationImage] = [
      await fixtureImage(join(before.folder, "backend")),
      process.env.MIGRATION_IMAGE ?? "",
    ];
    back = { ...forward, targetRevision: target, image, migrationImage };
    succeeded(await run("up", [], forward));
    await psql("INSERT INTO plugin_executions (plugin_id) SELECT id FROM plugins");
  });
  after(() => stack.remove());

  it("requires an image that has the target's successors", async () => {
    const { migrationImage: _, ...without } = back;
    const { exitCode, output } = await run("preview", [], without);
    assert.notEqual(exitCode, 0);
    assert.match(output, /missing unity:migrationImage: .*a1b2c3d4e5f6.*pulumi config set migrationImage/s);
  });

  it("is rejected unless the stack allows it, in preview and `up`, without a change", async () => {
    for (const verb of ["preview", "up"] as const) {
      const { exitCode, output } = await run(verb, [], back);
      assert.notEqual(exitCode, 0, output);
      assert.match(output, /Database is at add_plugin_execution, beyond target a1b2c3d4e5f6\./);
      assert.match(output, /downgrade not allowed; no changes were made:\n.*pulumi config set allowDowngrade true/);
    }
    assert.equal(await psql("SELECT version_num FROM alembic_version"), head);
  });

  it("takes a restore point, downgrades to the target, and rolls out that release", async () => {
    const allowed = { ...back, allowDowngrade: "true" };
    const planned = succeeded(await run("preview", [], allowed));
    assert.match(
      planned,
      /To downgrade: 1 of 8 revisions\n *8\/8 {2}add_plugin_execution .*\(downgrade\)\n(.*\n)*.*DROP TABLE plugin_executions/,
    );
    assert.equal(await psql("SELECT version_num FROM alembic_version"), head);

    succeeded(await run("up", [], allowed));
    assert.equal(
      await psql("SELECT version_num, to_regclass('plugin_executions') IS NULL FROM alembic_version"),
      `${target}|t`,
    );
    const { stdout } = await command("history", "--json");
    const last = JSON.parse(stdout).at(-1);
    assert.deepEqual([last.direction, last.outcome, last.from, last.to], ["downgrade", "succeeded", [head], [target]]);
    assert.ok(planned.includes(`Plan hash: ${last.planHash}`), "the recorded plan is the shown one");
    assert.match(
      succeeded(await run("preview", ["--expect-no-changes"], allowed)),
      /up to date \(target a1b2c3d4e5f6\)/,
    );
  });

  it("restores a restore point", async () => {
    const { stdout, stderr } = await command("restore", "--list", "--json");
    const points = JSON.parse(stdout || stderr) as { name: string; revision: string }[];
    assert.deepEqual(
      points.map(({ revision }) => revision),
      ["", head],
    );
    const name = points.at(-1)?.name ?? "";
    const unsure = await command("restore", name);
    assert.equal(unsure.code, 2);
    assert.match(unsure.stderr, /To confirm, pass --yes/);
    assert.equal(await psql("SELECT version_num FROM alembic_version"), target);

    const restored = await command("restore", name, "--yes");
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /Restored \S+: database is at add_plugin_execution/);
    const query = "SELECT version_num, (SELECT count(*) > 0 FROM plugin_executions) FROM alembic_version";
    assert.equal(await psql(query), `${head}|t`);
    assert.equal(JSON.parse((await command("history", "--json")).stdout).length, 2, "the record is kept");
    assert.equal((await kubectl.run(["get", "jobs", "--output=name"])).includes("unity-db-restore"), false);
  });

  it("rejects an unknown restore point, and leaves the database unchanged", async () => {
    const { code, stderr } = await command("restore", "no-such-point", "--yes");
    assert.equal(code, 2);
    assert.match(stderr, /restore point "no-such-point" not found/);
    assert.equal(await psql("SELECT version_num FROM alembic_version"), head);
  });

  it("waits for a restore point that takes longer than the migration may", async () => {
    const allowed = { ...back, allowDowngrade: "true" };
    const timeouts = {
      lockTimeoutSeconds: "2",
      statementTimeoutSeconds: "4",
      deadlineSeconds: "12",
      awaitTimeoutSeconds: "13",
      startTimeoutSeconds: "9",
    };
    const holds = "SET application_name = 'holder'; BEGIN; LOCK TABLE metrics; SELECT pg_sleep(300)";
    const isTaking = async () => {
      const { items } = await kubectl.get<{ items: Pod[] }>("pods", workloadSelector(names.migrateJob));
      const started = items
        .flatMap(({ status }) => status.initContainerStatuses ?? [])
        .map(({ state }) => state?.running?.startedAt);
      // Longer than the Job's deadline and the wait would be without time for the restore point, and shorter than the
      // dump waits for a lock.
      return started.some((at) => at !== undefined && Date.now() - Date.parse(at) > 24_000);
    };
    const session = [
      "exec",
      "deployment/postgres",
      "--",
      "psql",
      "-U",
      "homelab_user",
      "-d",
      "homelab_db",
      "-c",
      holds,
    ];
    const holder = kubectl.run(session, "", 310).catch(() => "");
    const updating = run("up", [], { ...allowed, ...timeouts });
    await waitFor("a long restore point", isTaking, { timeoutSeconds: 120 });
    await psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await holder;
    assert.match(succeeded(await updating), /taking the restore point \(\d+s\)/);
  });
});
