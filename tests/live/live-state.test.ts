import assert from "node:assert/strict";
import type { Run } from "../../local/pulumi.ts";
import { readLive } from "../../src/cluster/live-state.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("live-state");
const { kubectl } = stack;
/** The runner's advisory lock. */
const lockKey = Buffer.from("unity-db").readBigInt64BE();
const head = "add_plugin_execution";

const run = async (verb: "preview" | "up", flags: readonly string[] = [], values: Record<string, string> = {}) =>
  (await stack.engine(values)).run(verb, flags);
const alembic = async (...command: string[]) =>
  kubectl.exec("deployment/unity-backend", "unity-backend", ["alembic", ...command]);
const psql = async (statement: string) => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atc", statement];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const jobNames = async () =>
  (await kubectl.get<{ items: { metadata: { name: string } }[] }>("jobs")).items.map(({ metadata }) => metadata.name);

function succeeded({ exitCode, output }: Run): string {
  assert.equal(exitCode, 0, output);
  return output;
}

/** What is read of an object's metadata. */
interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
}

/** Changes with the whole object, status included. */
const wholly = ({ resourceVersion }: Metadata) => resourceVersion;
/** Changes with what was declared: a pod that can't find its revision turns unready by itself. */
const asDeclared = ({ uid, generation }: Metadata) => `${uid}/${generation}`;

/** Every object of the namespace with its version, and the rows of `alembic_version`. */
async function everything(version: (metadata: Metadata) => string): Promise<readonly string[]> {
  const kinds = "pods,jobs,deployments,replicasets,configmaps,secrets,services,persistentvolumeclaims,serviceaccounts";
  const { items } = await kubectl.get<{ items: { kind: string; metadata: Metadata }[] }>(kinds);
  const versions = items.map(({ kind, metadata }) => `${kind} ${metadata.name} ${version(metadata)}`);
  return [...versions.sort(), await psql("SELECT xmin, version_num FROM alembic_version ORDER BY 2")];
}

describe("the live state", () => {
  after(() => stack.remove());

  it("previews a stack that was never deployed: all that it may have to apply, and makes no namespace", async () => {
    const output = succeeded(await run("preview"));
    assert.match(output, /No running workload in namespace unity-test-live-state/);
    assert.match(output, /Pending: at most 8 of 8 revisions/);
    assert.match(output, /Job unity-db-migrate-[0-9a-f]{10} will be created: no existing Job/);
    assert.equal((await kubectl.run(["get", "namespace", stack.namespace, "--ignore-not-found"])).trim(), "");
  });

  it("is at head after `up`, and says that nothing is to migrate", async () => {
    succeeded(await run("up"));
    assert.match(
      succeeded(await run("preview", ["--expect-no-changes"])),
      /Database is up to date \(head add_plugin_execution\)\.\n *Job unity-db-migrate-[0-9a-f]{10} is unchanged/,
    );
  });

  it("is read from PostgreSQL and from the backend alike", async () => {
    for (const owned of [true, false]) {
      assert.deepEqual((await readLive(kubectl, owned)).reading, { kind: "rows", rows: [head] });
    }
  });

  it("is never applied when no revision is left", async () => {
    await alembic("downgrade", "base");
    const output = succeeded(await run("preview"));
    assert.match(output, /Database is uninitialized \(no Alembic revision\)\.\n *Pending: 8 of 8 revisions/);
    assert.match(output, /1\/8 {2}6a00ea433c25 {2}Initial\n *creates metrics, servers, services; reversible/);
  });

  it("is behind at a revision in between, and preview changes nothing, in the cluster or the database", async () => {
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

  it("plans what a database lacks that was set back after success, and one `up` mends it (F20)", async () => {
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

  it("takes the next attempt after one that failed, by another `up`", async () => {
    const times = {
      lockTimeoutSeconds: "1",
      statementTimeoutSeconds: "2",
      deadlineSeconds: "10",
      awaitTimeoutSeconds: "30",
    };
    const holder = psql(`SET application_name = 'holder'; SELECT pg_advisory_lock(${lockKey}), pg_sleep(120)`);
    const ended = assert.rejects(holder);
    const failed = await run("up", [], times);
    assert.notEqual(failed.exitCode, 0, failed.output);
    assert.match(failed.output, /[Aa]nother migration.*holder/);
    await psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await ended;

    const output = succeeded(await run("up", [], times));
    const [, first = ""] = /Job (\S+)-2 will be created: \1 failed/.exec(output) ?? assert.fail(output);
    assert.deepEqual(await jobNames(), [`${first}-2`]);
    assert.match(succeeded(await run("preview", ["--expect-no-changes"], times)), /-2 is unchanged: already complete/);
  });

  const refused: readonly [string, string, RegExp][] = [
    [
      "a revision that the lock lacks",
      "UPDATE alembic_version SET version_num = 'zz'",
      /Database is at zz, which is not/,
    ],
    [
      "rows that imply each other",
      "INSERT INTO alembic_version VALUES ('8f3d9e2a1c45')",
      /overlapping revisions: 8f3d9e2a1c45, add_plugin/,
    ],
  ];
  for (const [what, statement, message] of refused) {
    it(`stops preview and \`up\` at ${what}, and leaves everything as it was (F21)`, async () => {
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

  it("is an error that says what to mend when there is no such context (F18)", async () => {
    const { exitCode, output } = await run("preview", [], { context: "no-such-context" });
    assert.notEqual(exitCode, 0);
    assert.match(output, /Can't connect to the cluster \(context no-such-context\): .*does not exist/);
    assert.match(output, /pulumi config set context <name>/);
  });
});
