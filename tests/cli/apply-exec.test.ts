import assert from "node:assert/strict";
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { waitFor } from "../../local/cluster/progress.ts";
import { names } from "../../src/manifests/names.ts";
import { projectRoot } from "../../src/paths.ts";
import { endWithTests, killGroup } from "../support/children.ts";
import { deployedPostgres, type FakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython } from "./unity.ts";

const image = "registry.example/unity-backend:1.0";
const behind = "a1b2c3d4e5f6";

/** Runs a statement, and prints its rows as JSON if it returns any. */
const queryProgram = `
import json, sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    cursor = connection.execute(sys.argv[2])
    print(json.dumps(cursor.fetchall() if cursor.description else [], default=str))
`;

/** Holds a lock on the table that the pending revision refers to, until it is killed. */
const lockProgram = `
import sys, time, psycopg
with psycopg.connect(sys.argv[1]) as connection:
    connection.execute("LOCK TABLE plugins")
    print("locked", flush=True)
    time.sleep(120)
`;

describe("pulumi-alembic apply --method exec", () => {
  let postgres: Postgres;
  let python: string;
  let url: string;
  let databases = 0;

  before(async () => {
    [postgres, python] = await Promise.all([startPostgres(), alembicPython()]);
  });
  after(() => postgres?.stop());

  function query(statement: string, target = url): unknown[][] {
    const { status, stdout, stderr } = spawnSync(python, ["-c", queryProgram, target, statement], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as unknown[][];
  }

  beforeEach(() => {
    databases += 1;
    query(`CREATE DATABASE exec${databases}`, postgres.url);
    url = postgres.url.replace(/[^/]+$/, `exec${databases}`);
    const env = { ...process.env, DATABASE_URL: url };
    const options = { cwd: join(projectRoot, "backend"), env, encoding: "utf8" } as const;
    const { status, stderr } = spawnSync(python, ["-B", "-m", "alembic", "upgrade", behind], options);
    assert.equal(status, 0, stderr);
  });

  /**
   * Writes a kubectl that runs a pod's commands here, in sessions of their own, as a cluster does.
   *
   * @param beforeRunner - Shell command before that of the runner.
   */
  function localPod(podImage: string, beforeRunner = ":"): FakeKubectl {
    const pod = {
      kind: "Pod",
      metadata: { name: "pod-1" },
      spec: { containers: [{ name: names.backend, image: podImage }] },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    };
    const list = (items: object[]) => `echo '${JSON.stringify({ items })}'; exit`;
    const kubectl = kubectlProgram(`#!/bin/sh
exec 3<&0
folder=$(dirname "$0")
case "$*" in
  *" get pods "*) ${list([pod])} ;;
  *" get "*) ${list([deployedPostgres])} ;;
esac
export PATH=${dirname(python)}:$PATH DATABASE_URL=${url} PYTHONDONTWRITEBYTECODE=1
while [ "$1" != -- ]; do shift; done
shift
cd ${join(projectRoot, "backend")}
[ "$1" != psql ] || exit 1
[ "$2" != -c ] || ${beforeRunner}
input="$folder/input.$$"
mkfifo "$input"
cat <&3 >"$input" &
echo $! >"$folder/connection"
setsid "$@" <"$input" &
wait $!
code=$?
kill "$(cat "$folder/connection")" 2>/dev/null
exit $code
`);
    const settings = `config:
  unity:context: here
  unity:image: ${image}
  unity:lockTimeoutSeconds: 100
  unity:databasePassword: { secure: "v1:A:B" }
`;
    writeFileSync(join(kubectl.folder, "stack.yaml"), settings);
    return kubectl;
  }

  function apply(kubectl: FakeKubectl): ChildProcessWithoutNullStreams {
    const main = join(projectRoot, "src", "cli", "main.ts");
    const command = [main, "apply", "--method=exec", "--config-file", join(kubectl.folder, "stack.yaml")];
    const env = { ...process.env, ...kubectl.environment };
    return endWithTests(spawn(process.execPath, command, { cwd: projectRoot, env, detached: true }));
  }

  async function finish(child: ChildProcessWithoutNullStreams) {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { code, output: stdout + stderr };
  }

  it("migrates by the runner, with its record", async () => {
    using kubectl = localPod(image);
    const { code, output } = await finish(apply(kubectl));
    assert.equal(code, 0, output);
    assert.match(output, /^8\/8 {2}add_plugin_execution {2}Plugin Execution {2}\d+\.\d\ds$/m);
    assert.match(output, /^Database is at add_plugin_execution\.$/m);
    const runs = query("SELECT outcome, image FROM pulumi_alembic.runs");
    assert.deepEqual(runs, [["succeeded", image]]);
  });

  it("refuses a database that was set back since the plan", async () => {
    const setBack = `UPDATE alembic_version SET version_num = '8f3d9e2a1c45'`;
    const program = `import psycopg, sys; psycopg.connect(sys.argv[1], autocommit=True).execute(sys.argv[2])`;
    using kubectl = localPod(image, `python -c '${program}' '${url}' "${setBack}"`);
    const { code, output } = await finish(apply(kubectl));
    assert.equal(code, 1, output);
    assert.match(output, /the database is at 8f3d9e2a1c45, but plan v4-[0-9a-f]{16} leads from/);
    assert.deepEqual(query("SELECT version_num FROM alembic_version"), [["8f3d9e2a1c45"]]);
  });

  it("rejects a pod of another image", async () => {
    using kubectl = localPod("registry.example/unity-backend:0.9");
    const { code, output } = await finish(apply(kubectl));
    assert.equal(code, 1, output);
    assert.match(output, /pod pod-1 runs image registry\.example\/unity-backend:0\.9, but the plan is for .*:1\.0\n/);
    assert.deepEqual(query("SELECT version_num FROM alembic_version"), [[behind]]);
  });

  for (const [what, interrupt] of [
    ["by Ctrl+C", ({ pid = 0 }) => process.kill(-pid, "SIGINT")],
    ["when the command is killed", ({ pid = 0 }) => process.kill(pid, "SIGKILL")],
    [
      "when the connection is lost",
      (_, { folder }) => process.kill(Number(readFileSync(join(folder, "connection"), "utf8"))),
    ],
  ] as const satisfies readonly (readonly [string, (child: ChildProcess, kubectl: FakeKubectl) => void])[]) {
    it(`leaves no migration behind ${what}`, async () => {
      using kubectl = localPod(image);
      const locker = endWithTests(spawn(python, ["-c", lockProgram, url], { stdio: ["ignore", "pipe", "inherit"] }));
      await once(locker.stdout, "data");
      const child = apply(kubectl);
      const sessions =
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'alembic-migrate%'";
      const blocked = `SELECT pid ${sessions} AND wait_event_type = 'Lock'`;
      await waitFor("the revision", async () => query(blocked).length > 0, { timeoutSeconds: 60 });
      interrupt(child, kubectl);
      await waitFor("the end of the sessions", async () => query(`SELECT pid ${sessions}`).length === 0);
      locker.kill();
      killGroup(child);
      assert.deepEqual(query("SELECT outcome, error FROM pulumi_alembic.runs"), [
        ["interrupted", "Migration interrupted by SIGTERM; the open transaction was rolled back."],
      ]);
      assert.deepEqual(query("SELECT version_num FROM alembic_version"), [[behind]]);
    });
  }
});
