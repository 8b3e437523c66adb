import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DriftOutcome } from "../../src/cli/drift.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { migratedApp } from "../../src/manifests/app.ts";
import { describeLock, describe as describePart, descriptorFiles } from "../../src/manifests/descriptor.ts";
import { appLabel } from "../../src/manifests/names.ts";
import { defaultTimeouts } from "../../src/manifests/timeouts.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { type FakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython, unityIn } from "./unity.ts";

const chain: readonly RevisionSource[] = [
  {
    id: "start",
    upgrade: [
      'op.create_table("users", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.String(40)))',
      'op.create_index("ix_name", "users", ["name"])',
      'op.execute("CREATE VIEW names AS SELECT name FROM users")',
    ],
    downgrade: ['op.execute("DROP VIEW names")', 'op.drop_table("users")'],
  },
  {
    id: "more",
    down: "start",
    upgrade: ['op.create_check_constraint("named", "users", "name <> \'\'")'],
    downgrade: ['op.drop_constraint("named", "users")'],
  },
];

/** The parts of Alembic's own template that a revision needs. */
const template = `from alembic import op
import sqlalchemy as sa
\${imports if imports else ""}

revision = \${repr(up_revision)}
down_revision = \${repr(down_revision)}
branch_labels = \${repr(branch_labels)}
depends_on = \${repr(depends_on)}


def upgrade():
    \${upgrades if upgrades else "pass"}


def downgrade():
    \${downgrades if downgrades else "pass"}
`;

/** Manual changes, each of which is drift. */
const changes = [
  "DROP INDEX ix_name",
  "CREATE INDEX ix_extra ON users (id, name) WHERE name <> 'a:b' AND name LIKE 'x%'",
  "ALTER TABLE users ALTER name TYPE text USING name",
  `CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  RETURN n * 2; -- "quoted" and \\escaped
END $$`,
];

describe("pulumi-alembic drift", () => {
  let python: string;
  let postgres: Postgres;
  let project: ChainProject;
  let databases = 0;
  before(async function () {
    this.timeout(120_000);
    [python, postgres] = await Promise.all([alembicPython(), startPostgres()]);
    project = new ChainProject(chain);
    project.write("alembic/script.py.mako", template);
    await call({}, "lock");
  });
  after(async () => {
    project?.delete();
    await postgres?.stop();
  });

  async function call(environment: NodeJS.ProcessEnv, name: string, ...args: readonly string[]) {
    const own = { REHEARSAL_DATABASE_URL: postgres.url, ...environment };
    const result = await unityIn(own, name, "--backend", project.folder, "--python", python, ...args);
    if (name !== "drift") assert.equal(result.code, 0, result.stdout + result.stderr);
    return result;
  }

  function execute(url: string, statements: readonly string[]): void {
    const input = JSON.stringify({ url, statements });
    const script = join(import.meta.dirname, "catalog.py");
    const { status, stderr } = spawnSync(python, ["-B", script], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  function upgrade(url: string, revision: string): void {
    const args = ["-m", "alembic", "upgrade", revision];
    const env = { ...process.env, DATABASE_URL: url.replace(":", "+psycopg:") };
    const options = { cwd: project.folder, env, encoding: "utf8" } as const;
    const { status, stderr } = spawnSync(python, args, options);
    assert.equal(status, 0, stderr);
  }

  /** Creates a database at a revision, and a cluster with an app in whose pod it can be queried. */
  function deploy(revision = "more"): { readonly url: string; readonly cluster: FakeKubectl } {
    databases += 1;
    const url = postgres.url.replace(/[^/]+$/, `live${databases}`);
    execute(postgres.url, [`CREATE DATABASE live${databases}`]);
    upgrade(url, revision);
    const lock = parseLock(readFileSync(project.lock, "utf8"), "lock");
    const app = migratedApp("shop");
    const options = { app, imagePullPolicy: "Always", timeouts: defaultTimeouts({}) };
    const migration = { options, head: "more", approvals: [], lockFile: "migrations.lock.json", owned: false };
    const data = {
      [descriptorFiles.migration]: describePart(migration),
      [descriptorFiles.inputs]: JSON.stringify({ image: "shop:1", secretName: "db", pod: {} }),
    };
    const metadata = { labels: { [appLabel]: "shop" } };
    const configMaps = { items: [{ metadata, data, binaryData: describeLock(lock) }] };
    const pod = {
      kind: "Pod",
      metadata: { name: "shop-1", labels: {} },
      spec: { containers: [{ name: "app" }] },
      status: { phase: "Running" },
    };
    const cluster = kubectlProgram(`#!/bin/sh
case "$*" in
  *" get configmaps "*) cat "$(dirname "$0")/configmaps"; exit ;;
  *" get pods "*) echo '${JSON.stringify({ items: [pod] })}'; exit ;;
  *" get serviceaccount "*|*" get deployment "*) exit ;;
  *" get "*) echo '{"items": []}'; exit ;;
esac
export PATH=${dirname(python)}:$PATH DATABASE_URL=${url}
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
`);
    writeFileSync(join(cluster.folder, "configmaps"), JSON.stringify(configMaps));
    return { url, cluster };
  }

  async function drift(cluster: FakeKubectl, ...args: readonly string[]) {
    const target = ["--app", "shop", "--context", "here", "--namespace", "shop", "--json"];
    const { code, stdout, stderr } = await call(cluster.environment, "drift", ...target, ...args);
    const outcome = JSON.parse(stdout) as DriftOutcome & { readonly error?: { readonly message: string } };
    return { code, ...outcome, stderr };
  }

  it("says which command records what to expect", async () => {
    const { cluster } = deploy();
    using _ = cluster;
    const { code, drift: report } = await drift(cluster);
    assert.equal(code, 2);
    assert.ok(report !== null && "reason" in report);
    assert.equal(report.reason, "the chain was not rehearsed");
    assert.match(report.command ?? "", / rehearse --backend /);
  });

  it("finds none in an untouched database at any revision", async () => {
    await call({}, "rehearse");
    for (const revision of ["start", "more"]) {
      const { cluster } = deploy(revision);
      using _ = cluster;
      const { code, drift: report } = await drift(cluster);
      assert.deepEqual(report, { revision, missing: [], extra: [], different: [], ignored: 0 });
      assert.equal(code, 0);
    }
  });

  it("finds each change, and prints the SQL that reverts all", async () => {
    const { url, cluster } = deploy();
    using _ = cluster;
    execute(url, ["DROP VIEW names", ...changes]);
    const found = await drift(cluster);
    assert.equal(found.code, 1);
    assert.ok(found.drift !== null && "missing" in found.drift);
    const { missing, extra, different } = found.drift;
    assert.deepEqual(
      missing.map((line) => line.split(":")[0]),
      ["- index public.users.ix_name", "- view public.names"],
    );
    assert.deepEqual(
      extra.map((line) => line.split(":")[0]),
      ["+ index public.users.ix_extra", "+ function public.twice(integer)"],
    );
    assert.ok(different.includes("~ column public.users.name: type character varying(40) -> text"));
    const { code, sql = [], manual } = await drift(cluster, "--revert");
    assert.deepEqual([code, manual], [0, []]);
    assert.equal((await drift(cluster)).code, 1);
    execute(url, sql);
    assert.equal((await drift(cluster)).code, 0);
  });

  it("rejects to adopt the drift of a database behind the head", async () => {
    const { url, cluster } = deploy("start");
    using _ = cluster;
    execute(url, ["DROP INDEX ix_name"]);
    const { code, error } = await drift(cluster, "--adopt");
    assert.equal(code, 2);
    assert.match(error?.message ?? "", /behind head more/);
  });

  it("adopts drift by a revision for databases with and without it", async function () {
    this.timeout(120_000);
    const { url, cluster } = deploy();
    using _ = cluster;
    execute(url, ["DROP VIEW names", ...changes]);
    const options = ["--adopt", "--rev-id", "adopted", "--message", "adopt changes"];
    const { code, adopted, error } = await drift(cluster, ...options);
    assert.equal(code, 0, JSON.stringify(error));
    assert.equal(adopted?.revision, "adopted");
    await call({}, "lock");
    await call({}, "rehearse");
    upgrade(url, "head");
    const drifted = deploy("head");
    using __ = drifted.cluster;
    assert.equal((await drift(drifted.cluster)).code, 0);
    assert.equal((await drift(cluster)).code, 0);
  });
});
