import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { BlockingTimes } from "../../src/cli/rehearse/like/outcome.ts";
import { measureChain } from "../../src/cli/rehearse/like/trials.ts";
import { readStatistics } from "../../src/cluster/table-statistics.ts";
import { knownSql } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { migratedApp } from "../../src/manifests/app.ts";
import { describe as describePart } from "../../src/manifests/descriptor.ts";
import { appLabel } from "../../src/manifests/names.ts";
import { defaultTimeouts } from "../../src/manifests/timeouts.ts";
import { predictRevision } from "../../src/plan/blocking-time.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { endWithTests } from "../support/children.ts";
import { type FakeKubectl, kubectlProgram } from "../support/fake-kubectl.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython, unity, unityIn } from "./unity.ts";

const execute = (list: readonly string[]) => list.map((sql) => `op.execute(${JSON.stringify(sql)})`);

/** Settings of both servers, as those of a rehearsal. */
const settings = { fsync: "on", autovacuum: "off", max_wal_size: "4GB", max_parallel_maintenance_workers: "0" };

describe("pulumi-alembic rehearse --like", () => {
  let live: Postgres;
  let trial: Postgres;
  let python: string;
  before(async () => {
    [live, trial, python] = await Promise.all([startPostgres(settings), startPostgres(settings), alembicPython()]);
  });
  after(() => Promise.all([live?.stop(), trial?.stop()]));

  /** Runs Python with a document as standard input. */
  async function runPython<Answer>(args: readonly string[], input: unknown, cwd?: string): Promise<Answer> {
    const env = { ...process.env, DATABASE_URL: live.url.replace("postgresql:", "postgresql+psycopg:") };
    const child = endWithTests(spawn(python, ["-B", ...args], { stdio: ["pipe", "pipe", "pipe"], cwd, env }));
    child.stdin.end(JSON.stringify(input));
    const [[code], output, errors] = await Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
    assert.equal(code, 0, errors);
    return (output === "" ? null : JSON.parse(output)) as Answer;
  }

  /** Locks a chain, migrates the live database to its first revision, and fills that. */
  async function deploy(revisions: readonly RevisionSource[], statements: readonly string[]): Promise<ChainProject> {
    const project = new ChainProject(revisions);
    const clean = ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"];
    await runPython([join(import.meta.dirname, "catalog.py")], { url: live.url, statements: clean });
    const { code, stderr } = await unity("lock", "--backend", project.folder, "--python", python);
    assert.equal(code, 0, stderr);
    await runPython(["-m", "alembic", "upgrade", revisions[0]?.id ?? ""], null, project.folder);
    await runPython([join(import.meta.dirname, "catalog.py")], { url: live.url, statements });
    return project;
  }

  /** Returns a kubectl that runs a pod's command here, and keeps its output in `answers`. */
  function kubectlOf(configMaps: readonly object[] = []): FakeKubectl {
    const pod = {
      metadata: { name: "web-1", creationTimestamp: "2026-11-24T00:00:00Z" },
      spec: { containers: [{ name: "web" }] },
      status: { phase: "Running" },
    };
    const items = (...list: readonly object[]) => JSON.stringify({ items: list });
    const fake = kubectlProgram(`#!/bin/sh
folder=$(dirname "$0")
case "$*" in
  *" get configmaps "*) exec cat "$folder/configmaps" ;;
  *" get pods "*) echo '${items(pod)}'; exit ;;
  *" get serviceaccount "*) exit ;;
  *" get "*) echo '${items()}'; exit ;;
esac
export PATH=${dirname(python)}:$PATH DATABASE_URL=${live.url}
while [ "$1" != -- ]; do shift; done
shift
"$@" | tee -a "$folder/answers"
`);
    writeFileSync(join(fake.folder, "configmaps"), items(...configMaps));
    return fake;
  }

  it("generates rows like the live ones without their values, and times for plans", async () => {
    const project = await deploy(
      [
        {
          id: "start",
          upgrade: execute([
            "CREATE TYPE mood AS ENUM ('good', 'bad')",
            "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
            'CREATE TABLE teams (id serial PRIMARY KEY, name varchar(20) NOT NULL UNIQUE, "in" int REFERENCES teams)',
            `CREATE TABLE members (team_id int REFERENCES teams, person bigint, mood mood NOT NULL, score positive,
              state varchar(10) NOT NULL CHECK (state IN ('on', 'it''s off')), share numeric(4, 2) CHECK (share <= 50),
              code text, tags text[], data jsonb, at timestamp, day date, key uuid, raw bytea, address inet,
              size int GENERATED ALWAYS AS (length(code)) STORED, PRIMARY KEY (team_id, person))`,
            "CREATE TABLE others (id int)",
          ]),
        },
        {
          id: "next",
          down: "start",
          upgrade: execute([
            "CREATE UNIQUE INDEX ix_code ON members (code)",
            "ALTER TABLE members ADD CONSTRAINT fk_person FOREIGN KEY (person) REFERENCES teams (id)",
            "ALTER TABLE members ADD CHECK (length(state) < 10)",
            "ALTER TABLE members ALTER COLUMN at SET NOT NULL",
            "UPDATE teams SET name = name || '!'",
          ]),
        },
      ],
      [
        "INSERT INTO teams (name) SELECT 'secret ' || i FROM generate_series(1, 100) i",
        `INSERT INTO members SELECT 1 + i % 100, 1 + i / 100, 'good', 3, 'on', 12.5, 'secret ' || i, '{secret}',
          '{"secret": 1}', now(), '2026-01-01', gen_random_uuid(), 'secret', '10.1.2.3' FROM generate_series(0, 4999) i`,
        "ANALYZE",
      ],
    );
    const app = migratedApp("shop");
    const timeouts = defaultTimeouts({});
    const options = { app, imagePullPolicy: "Always", timeouts, toleratedRevisions: [] };
    const migration = { options, head: "start", approvals: [], lockFile: "migrations.lock.json", owned: false };
    using kubectl = kubectlOf([
      {
        metadata: { labels: { [appLabel]: "shop" } },
        data: {
          "migration.json": describePart(migration),
          "inputs.json": JSON.stringify({ image: "shop:1", secretName: "shop-database" }),
        },
      },
    ]);
    const target = ["--backend", project.folder, "--context", "here", "--namespace", "shop"];
    const environment = { ...kubectl.environment, REHEARSAL_DATABASE_URL: trial.url };
    const args = ["rehearse", "--like", "shop", ...target, "--python", python, "--json"];
    const { code, stdout, stderr } = await unityIn(environment, ...args);
    const times = JSON.parse(stdout) as BlockingTimes;
    assert.deepEqual([code, times.failed, times.unknownTables], [0, null, {}], stdout + stderr);
    assert.deepEqual([times.current, times.scale, times.exceeded], [["start"], 1, []]);
    assert.deepEqual(times.rows, { "public.members": 5000, "public.teams": 100 });
    const [revision] = times.revisions;
    assert.deepEqual(
      revision?.statements.map(({ table, rows, blocks }) => [table, rows, ...blocks.map((each) => each.blocks)]),
      [
        ["public.members", 5000, "writes"],
        ["public.members", 5000, "writes", "writes"],
        ["public.members", 5000, "reads and writes"],
        ["public.members", 5000],
        ["public.teams", 100],
      ],
    );
    const file = readFileSync(join(project.folder, "migrations.times.json"), "utf8");
    const answers = readFileSync(join(kubectl.folder, "answers"), "utf8");
    assert.match(answers, /"members"|public\.members/);
    assert.doesNotMatch(answers + file, /secret|5000.*"perMillionRows"/);
    const plan = await unityIn(kubectl.environment, "plan", "--app", "shop", ...target);
    assert.match(
      plan.stdout,
      /CREATE UNIQUE INDEX ix_code ON members \(code\);\n +blocks writes of members \(SHARE\)\n +takes .*; blocks writes of members for .* \(5,000 rows of members\)\n/,
    );
    project.delete();
  });

  it("predicts nine of ten times of statements within a factor of 2", async function () {
    this.timeout("5m");
    const sizes = { small: 25_000, medium: 75_000, large: 225_000 };
    const names = Object.keys(sizes);
    const project = await deploy(
      [
        { id: "start", upgrade: execute(names.flatMap(tables)) },
        ...names.map((size, index) => ({
          id: size,
          down: names[index - 1] ?? "start",
          upgrade: execute(forms(size)),
        })),
      ],
      Object.entries(sizes).flatMap(([size, count]) => rows(size, count)),
    );
    const lock = readLock(join(project.folder, "migrations.lock.json"));
    const pending = lock.revisions.filter(({ id }) => id !== "start");
    using kubectl = kubectlOf();
    const statistics = await readStatistics(kubectl.kubectl, lock, { owned: false });
    const chain = { lock, backendFolder: project.folder, python, url: trial.url, env: {} };
    const limits = { rows: 45_000, bytes: 64 * 1024 * 1024 };
    const measured = await measureChain(chain, pending, statistics, () => {}, limits);
    assert.deepEqual([measured.failed, measured.unknownTables], [null, {}]);
    assert.ok(measured.scale < 0.15);
    const input = { url: live.url, revisions: pending.map(({ upgrade }) => knownSql(upgrade) ?? []) };
    const actual = await runPython<Record<string, number>>([join(import.meta.dirname, "statement_times.py")], input);
    const compared = pending.flatMap((revision) => {
      const times = measured.times[revision.id];
      assert.ok(times);
      return predictRevision(times, measured.rows).map(({ statement, milliseconds, rows }) => {
        const sql = knownSql(revision.upgrade)?.[statement ?? -1] ?? "";
        return { sql, rows, predicted: milliseconds, actual: actual[sql] ?? Number.NaN };
      });
    });
    project.delete();
    const isClose = ({ predicted, actual }: (typeof compared)[number]) =>
      predicted < 2 * actual && actual < 2 * predicted;
    const table = compared.map(
      (each) => `${isClose(each)} ${each.predicted} ${each.actual} ms, ${each.rows} rows: ${each.sql}`,
    );
    assert.equal(compared.length, 21);
    assert.ok(compared.filter(isClose).length >= compared.length * 0.9, table.join("\n"));
  });
});

/** Tables of a size. */
function tables(size: string): string[] {
  return [
    `CREATE TABLE users_${size} (id serial PRIMARY KEY, email varchar(80) NOT NULL UNIQUE)`,
    `CREATE TABLE events_${size} (id bigserial PRIMARY KEY, user_id int, kind varchar(20), name text, amount int,
      at timestamptz, note text)`,
    `CREATE INDEX ON events_${size} (user_id)`,
  ];
}

/** Rows that the generated ones don't know. */
function rows(size: string, count: number): string[] {
  return [
    `INSERT INTO users_${size} (email) SELECT 'user' || i || '@example.com' FROM generate_series(1, ${count / 10}) i`,
    `INSERT INTO events_${size} (user_id, kind, name, amount, at, note)
      SELECT 1 + random() * (${count / 10} - 1), (ARRAY['view', 'click', 'purchase'])[1 + (random() * 2)::int],
        'Event of ' || substr(md5(random()::text), 1, (random() * 30)::int), random() * 10000,
        timestamptz '2026-01-01' + i * interval '1 minute', CASE WHEN random() > 0.1 THEN 'Something that was noted' END
      FROM generate_series(1, ${count}) i`,
    `VACUUM (ANALYZE) users_${size}, events_${size}`,
  ];
}

/** Statements that read or rewrite a table. */
function forms(size: string): string[] {
  const table = `events_${size}`;
  return [
    `CREATE INDEX ix_${size} ON ${table} (name)`,
    `ALTER TABLE ${table} ALTER COLUMN at SET NOT NULL`,
    `ALTER TABLE ${table} ADD CONSTRAINT ck_${size} CHECK (amount >= 0 AND length(name) < 1000)`,
    `ALTER TABLE ${table} ADD CONSTRAINT fk_${size} FOREIGN KEY (user_id) REFERENCES users_${size} (id)`,
    `UPDATE ${table} SET note = 'filled' WHERE note IS NULL`,
    `ALTER TABLE ${table} ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL`,
    `ALTER TABLE ${table} ALTER COLUMN amount TYPE bigint`,
  ];
}
