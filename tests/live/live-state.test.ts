import assert from "node:assert/strict";
import { waitFor } from "../../local/cluster/progress.ts";
import type { Run } from "../../local/pulumi.ts";
import { readLive } from "../../src/cluster/live-state.ts";
import { workloadSelector } from "../../src/cluster/pods.ts";
import { withoutVersionTable } from "../../src/lockfile/database-schema/database-schema.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { rehearsedSchema } from "../../src/lockfile/rehearsal.ts";
import { names } from "../../src/manifests/names.ts";
import { lockFile } from "../../src/paths.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("live-state");
const { kubectl } = stack;
/** The runner's advisory lock. */
const lockKey = Buffer.from("alembic!").readBigInt64BE();
const head = "add_plugin_execution";

const run = async (verb: "preview" | "up", flags: readonly string[] = [], values: Record<string, string> = {}) =>
  (await stack.engine(values)).run(verb, flags);
const alembic = async (...command: string[]) =>
  kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", ...command]);
const psql = async (statement: string, timeoutSeconds = 30) => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atc", statement];
  const exec = ["exec", "deployment/postgres", "--container=postgres", "--"];
  return (await kubectl.run([...exec, ...command], "", timeoutSeconds)).trim();
};
const jobNames = async () =>
  (await kubectl.get<{ items: { metadata: { name: string } }[] }>("jobs")).items.map(({ metadata }) => metadata.name);

function succeeded({ exitCode, output }: Run): string {
  assert.equal(exitCode, 0, output);
  return output;
}

/** The part of an object's metadata that is read here. */
interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
}

/** Changes with the object, including its status. */
const wholly = ({ resourceVersion }: Metadata) => resourceVersion;
/** Changes with the declared object: the status of a pod that can't find its revision changes without a write. */
const asDeclared = ({ uid, generation }: Metadata) => `${uid}/${generation}`;

/** Returns every object of the namespace with its version, and the rows of `alembic_version`. */
async function everything(version: (metadata: Metadata) => string): Promise<readonly string[]> {
  const kinds = "pods,jobs,deployments,replicasets,configmaps,secrets,services,persistentvolumeclaims,serviceaccounts";
  const { items } = await kubectl.get<{ items: { kind: string; metadata: Metadata }[] }>(kinds);
  const versions = items.map(({ kind, metadata }) => `${kind} ${metadata.name} ${version(metadata)}`);
  return [...versions.sort(), await psql("SELECT xmin, version_num FROM alembic_version ORDER BY 2")];
}

describe("the live state", () => {
  after(() => stack.remove());

  it("is unknown before the first deployment: preview plans at most all revisions", async () => {
    const output = succeeded(await run("preview"));
    assert.match(output, /No running workload in namespace unity-test-live-state/);
    assert.match(output, /Pending: at most 8 of 8 revisions/);
    assert.match(output, /Job unity-db-migrate-[0-9a-f]{10} will be created: no existing Job/);
    assert.equal((await kubectl.run(["get", "namespace", stack.namespace, "--ignore-not-found"])).trim(), "");
  });

  it("is at head after `up`, with nothing to migrate", async () => {
    succeeded(await run("up"));
    assert.match(
      succeeded(await run("preview", ["--expect-no-changes"])),
      /Database is up to date \(head add_plugin_execution\)\.\n *Job unity-db-migrate-[0-9a-f]{10} is unchanged/,
    );
  });

  it("is read from PostgreSQL and from the backend alike", async () => {
    const identity =
      "SELECT oid || ' ' || system_identifier FROM pg_database, pg_control_system() WHERE datname = 'homelab_db'";
    const [oid, system] = (await psql(identity)).split(" ");
    const lock = readLock(lockFile);
    for (const owned of [true, false]) {
      const { reading } = await readLive(kubectl, owned, lock);
      assert.ok(reading.kind === "rows");
      const { schema, ...read } = reading;
      assert.deepEqual(read, { kind: "rows", rows: [head], database: { name: "homelab_db", oid, system } });
      assert.ok(schema !== undefined && "schema" in schema);
      assert.deepEqual(
        withoutVersionTable(schema.schema, lock.versionTable),
        rehearsedSchema(lock, () => true),
      );
    }
  });

  it("is uninitialized when no revision is left", async () => {
    await alembic("downgrade", "base");
    const output = succeeded(await run("preview"));
    assert.match(output, /Database is uninitialized \(no Alembic revision\)\.\n *Pending: 8 of 8 revisions/);
    assert.match(output, /1\/8 {2}6a00ea433c25 {2}Initial\n *creates metrics, servers, services; reversible/);
  });

  it("is behind between base and head, and preview changes nothing", async () => {
    await alembic("upgrade", "8f3d9e2a1c45");
    await kubectl.run(["rollout", "status", "deployment/unity-backend", "--timeout=60s"], "", 70);
    const before = await everything(wholly);
    const output = succeeded(await run("preview"));
    assert.match(
      output,
      /Database is at 8f3d9e2a1c45, behind head add_plugin_execution\.\n *Pending: 3 of 8 revisions/,
    );
    assert.match(output, /6\/8 {2}00001_add_plugins {2}Plugins\n.*\n *CREATE TABLE plugins \(/);
    assert.ok(!output.includes("CREATE TABLE servers"));
    assert.deepEqual(await everything(wholly), before);
  });

  it("is behind after a downgrade, and one `up` migrates by another attempt (F20)", async () => {
    await alembic("upgrade", "head");
    await alembic("downgrade", "-1");
    const [first] = await jobNames();
    const planned = succeeded(await run("preview"));
    assert.match(planned, /Pending: 1 of 8 revisions\n *8\/8 {2}add_plugin_execution {2}Plugin Execution\n/);
    assert.match(planned, /CREATE TABLE plugin_executions \(/);
    const { code, stdout } = await unity("plan", "--json", "--config-file", stack.configFile);
    assert.deepEqual([code, JSON.parse(stdout).job.name], [1, `${first}-2`]);
    assert.ok(planned.includes(`Job ${first}-2 will be created: ${first} is complete, but the database is behind`));

    succeeded(await run("up"));
    assert.equal((await alembic("current")).trim(), `${head} (head)`);
    assert.deepEqual(await jobNames(), [`${first}-2`]);
    assert.match(succeeded(await run("preview", ["--expect-no-changes"])), /-2 is unchanged: already complete/);
    assert.match(succeeded(await run("up", ["--expect-no-changes"])), /Database is up to date/);
  });

  it("is waited for while another session migrates, which the Job's log names", async () => {
    const holds = `SET application_name = 'holder'; SELECT pg_advisory_lock(${lockKey}), pg_sleep(300)`;
    const ended = assert.rejects(psql(holds, 310));
    const sessions = "FROM pg_stat_activity WHERE application_name = 'holder'";
    const isHeld = `SELECT count(*) > 0 FROM pg_locks JOIN (SELECT pid ${sessions}) a USING (pid) WHERE granted AND locktype = 'advisory'`;
    await waitFor("the lock", async () => (await psql(isHeld)) === "t");
    const running = run("up", [], { lockTimeoutSeconds: "4" });
    const logOptions = ["logs", workloadSelector(names.migrateJob), "--tail=-1"];
    const isNamed = async () => /Waiting for another migration: .*holder/.test(await kubectl.run(logOptions));
    await waitFor("the migrate Job's log", isNamed, { timeoutSeconds: 120 }).finally(async () => {
      await psql(`SELECT pg_terminate_backend(pid) ${sessions}`);
      await Promise.allSettled([running, ended]);
    });
    succeeded(await running);
  });

  it("takes the next attempt after one that failed, by another `up`", async () => {
    const values = { lockTimeoutSeconds: "3" };
    await alembic("downgrade", "-1");
    await psql("CREATE TABLE plugin_alerts (id int)");
    const failed = await run("up", [], values);
    assert.notEqual(failed.exitCode, 0, failed.output);
    assert.match(failed.output, /relation "plugin_alerts" already exists/);
    await psql("DROP TABLE plugin_alerts");

    const output = succeeded(await run("up", [], values));
    const [, first = ""] = /Job (\S+)-2 will be created: \1 failed/.exec(output) ?? assert.fail(output);
    assert.deepEqual(await jobNames(), [`${first}-2`]);
    assert.match(succeeded(await run("preview", ["--expect-no-changes"], values)), /-2 is unchanged: already complete/);
  });
  const refused: readonly [string, string, RegExp][] = [
    ["an unknown revision", "UPDATE alembic_version SET version_num = 'zz'", /Database is at zz, which is not/],
    [
      "overlapping revisions",
      "INSERT INTO alembic_version VALUES ('8f3d9e2a1c45')",
      /overlapping revisions: 8f3d9e2a1c45, add_plugin/,
    ],
  ];
  for (const [what, statement, message] of refused) {
    it(`stops preview and \`up\` at ${what}, without a change (F21)`, async () => {
      await psql(statement);
      const before = await everything(asDeclared);
      for (const verb of ["preview", "up"] as const) {
        const { exitCode, output } = await run(verb);
        assert.notEqual(exitCode, 0, output);
        assert.match(output, message);
      }
      assert.deepEqual(await everything(asDeclared), before);
      await psql(`DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('${head}')`);
    });
  }

  it("is an error with its fix when the context doesn't exist (F18)", async () => {
    const { exitCode, output } = await run("preview", [], { context: "no-such-context" });
    assert.notEqual(exitCode, 0);
    assert.match(output, /Can't connect to the cluster \(context no-such-context\): .*does not exist/);
    assert.match(output, /pulumi config set context <name>/);
  });
});
