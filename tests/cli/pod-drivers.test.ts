import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { queryPod, runCustomInPod } from "../../src/checks/pod-facts.ts";
import type { Expected } from "../../src/checks/result.ts";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { readLive } from "../../src/cluster/live-state.ts";
import { projectRoot } from "../../src/paths.ts";
import { lockOf } from "../fixtures/chains/locks.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { temporaryFolder } from "../support/folder.ts";
import { servingPod } from "../support/kubernetes.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";

const chain = lockOf([]);
const drivers = ["psycopg", "psycopg2", "pg8000", "asyncpg"];

const schema = [
  "CREATE ROLE app LOGIN PASSWORD 'p@ss'",
  "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
  "INSERT INTO alembic_version VALUES ('a')",
  "CREATE TABLE plugins (id varchar PRIMARY KEY, enabled boolean)",
  "CREATE TABLE plugin_executions (id serial PRIMARY KEY, plugin_id varchar, started_at timestamptz, \
completed_at timestamptz, status varchar, error_message text)",
  "CREATE TABLE plugin_metrics (plugin_id varchar)",
  "INSERT INTO plugins VALUES ('it''s', true)",
  "GRANT SELECT ON alembic_version TO app",
  "GRANT SELECT, INSERT, UPDATE, DELETE ON plugin_executions, plugin_metrics TO app",
  "GRANT SELECT, UPDATE ON plugins TO app",
];

/** The row of an execution, whose id is 1 the first time. */
const execution = `WITH executed AS (INSERT INTO plugin_executions (plugin_id, status) VALUES ('it''s', 'succeeded'))
  INSERT INTO plugin_metrics VALUES ('it''s')`;

/** Stands for the backend's API, of which only the id of the new row matters here. */
const curl = `#!/bin/sh
case "$*" in
  */health) echo x >> requests; . ./health ;;
  *execute*) printf '{"id": %s}\\n201' "$EXECUTION" ;;
  *) printf '[{"id": "it\\047s", "enabled": true}]\\n200' ;;
esac
`;

/** Each env.py gives its engine the URL as it is. */
const environments: Readonly<Record<string, string>> = {
  pg8000: `import os
from sqlalchemy import create_engine
create_engine(os.environ["DATABASE_URL"]).connect()
`,
  asyncpg: `import asyncio, os
from sqlalchemy.ext.asyncio import create_async_engine
asyncio.run(create_async_engine(os.environ["DATABASE_URL"]).connect().start())
`,
};

describe("programs in a pod whose image has only one driver", () => {
  let postgres: Postgres;
  let python: string;

  before(async () => {
    const requirements = join(projectRoot, "backend", "requirements-dev.txt");
    const report = (line: string) => process.stderr.write(`${line}\n`);
    [postgres, python] = await Promise.all([startPostgres(), pythonEnvironment({ requirements, report })]);
    execute(schema);
  });
  after(() => postgres?.stop());

  function execute(statements: readonly string[]): void {
    const input = JSON.stringify({ url: postgres.url, statements });
    const script = join(import.meta.dirname, "catalog.py");
    const { status, stderr } = spawnSync(python, ["-B", script], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  /** Returns a kubectl that runs a pod's command here, where Python finds only one driver. */
  function podWith(driver: string | undefined, folder: string, parameters = "", scheme = "postgresql") {
    const missing = JSON.stringify(drivers.filter((name) => name !== driver));
    const finder = `import sys
from importlib.machinery import PathFinder
class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ${missing} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
`;
    writeFileSync(join(folder, "sitecustomize.py"), finder);
    writeFileSync(join(folder, "curl"), curl);
    chmodSync(join(folder, "curl"), 0o755);
    const url = postgres.url.replace("postgresql://postgres@", `${scheme}://app:p%40ss@`) + parameters;
    const metadata = { name: "unity-backend", annotations: { "pulumi.com/patchForce": "true" } };
    const items = [{ kind: "Deployment", metadata, status: { replicas: 1 } }];
    const number = drivers.indexOf(driver ?? "") + 1;
    return kubectlProgram(`#!/bin/sh
case "$*" in *" get "*) echo '${JSON.stringify({ items })}'; exit ;; esac
export PATH=${folder}:${dirname(python)}:$PATH PYTHONPATH=${folder} DATABASE_URL='${url}' EXECUTION=${number}
cd ${folder}
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
`);
  }

  for (const driver of drivers) {
    it(`read the live state and the privileges with ${driver}`, async () => {
      using folder = temporaryFolder();
      using pod = podWith(driver, folder.path);
      const rehearsal = { chain: "", postgres: "15", env: [], models: null };
      const { reading } = await readLive(pod.kubectl, false, { ...chain, rehearsal });
      assert.ok(reading.kind === "rows", JSON.stringify(reading));
      assert.deepEqual(reading.rows, ["a"]);
      assert.ok(reading.schema !== undefined && "schema" in reading.schema, JSON.stringify(reading.schema));
      assert.ok("public.plugin_metrics" in reading.schema.schema.tables);
      const expected = { tables: ["plugins", "plugin_executions", "plugin_metrics"], chain } as unknown as Expected;
      const { privileges } = await queryPod(pod.kubectl, servingPod("rs"), ["privileges"], expected);
      assert.deepEqual(privileges, {
        value: {
          role: "app",
          lacking: {
            plugins: ["INSERT", "DELETE"],
            plugin_executions: ["USAGE of sequence plugin_executions_id_seq"],
          },
          excess: [],
        },
      });
    });

    it(`execute a plugin with ${driver}`, async () => {
      execute([execution]);
      using folder = temporaryFolder();
      using pod = podWith(driver, folder.path);
      const answers = await queryPod(pod.kubectl, servingPod("rs"), ["execution"], { chain } as unknown as Expected);
      const row = { startedAt: null, completedAt: null, status: "succeeded", error: null };
      assert.deepEqual(answers.execution, { value: { plugin: "it's", row, restored: true } });
    });

    it(`run one query that only reads with ${driver}`, async () => {
      using folder = temporaryFolder();
      using pod = podWith(driver, folder.path);
      const run = (query: string, seconds = 5) =>
        runCustomInPod(pod.kubectl, servingPod("rs"), "sql_check", { query, count: 1 }, seconds);
      const rows = await run("SELECT id, enabled, 1.50 AS n FROM plugins WHERE id LIKE '%''s' -- :x {}");
      assert.deepEqual(rows, [{ id: "it's", enabled: true, n: 1.5 }]);
      assert.deepEqual(await run("SELECT n FROM generate_series(1, 1000000) n;"), [{ n: 1 }, { n: 2 }]);
      const rejected: readonly [query: string, error: RegExp, seconds?: number][] = [
        ["SELECT 1; SELECT 2", /multi-query/],
        ["COMMIT; DELETE FROM plugin_metrics", /multi-query/],
        ["COMMIT", /cannot open COMMIT|EXECUTE of transaction commands/],
        ["DELETE FROM plugin_metrics", /cannot open DELETE query as cursor/],
        ["DELETE FROM plugin_metrics RETURNING *", /read-only transaction/],
        ["WITH d AS (DELETE FROM plugin_metrics RETURNING 1) SELECT * FROM d", /read-only transaction/],
        ["SELECT set_config('transaction_read_only', 'off', true)", /must be set before any query/],
        ["SELECT nextval('plugin_executions_id_seq')", /permission denied|read-only transaction/],
        ["SELECT /*", /unterminated/],
        ["SELECT 1 FROM absent", /"absent" does not exist/],
        ["SELECT pg_sleep(5)", /^timed out after 1s$|statement timeout/, 1],
      ];
      for (const [query, error, seconds] of rejected)
        await assert.rejects(run(query, seconds), ({ message }: Error) => error.test(message) || assert.fail(message));
    });

    it(`use the first of several hosts that answers with ${driver}`, async () => {
      using folder = temporaryFolder();
      const { port } = new URL(postgres.url);
      const hosts = `?host=127.0.0.1,127.0.0.1&port=1,${port}&target_session_attrs=read-write`;
      using pod = podWith(driver, folder.path, hosts);
      const { reading } = await readLive(pod.kubectl, false, chain);
      assert.ok(reading.kind === "rows", JSON.stringify(reading));
    });
  }

  it("read /health until it says the revision", async () => {
    using folder = temporaryFolder();
    using pod = podWith("psycopg", folder.path);
    const health = (revision: string | null) => JSON.stringify({ components: { database: { revision } } });
    writeFileSync(
      join(folder.path, "health"),
      `case $(wc -l < requests) in
  1) printf '\\n000' ;;
  2) printf '%s\\n503' '${health(null)}' ;;
  3) printf '%s\\n503' '${health("other")}' ;;
  *) printf '%s\\n503' '${health(null)}' ;;
esac
`,
    );
    const answers = await queryPod(pod.kubectl, servingPod("rs"), ["health"], { chain } as unknown as Expected);
    assert.deepEqual(answers.health, { value: health("other") });
  });

  for (const driver of ["pg8000", "asyncpg"]) {
    it(`recognize an env.py that takes its URL for ${driver} from the environment`, async () => {
      using folder = temporaryFolder();
      using pod = podWith(driver, folder.path, "", `postgresql+${driver}`);
      mkdirSync(join(folder.path, "alembic", "versions"), { recursive: true });
      writeFileSync(join(folder.path, "alembic.ini"), "[alembic]\nscript_location = alembic\n");
      writeFileSync(join(folder.path, "alembic", "env.py"), environments[driver] ?? "");
      const expected = { chain, namespace: "n" } as unknown as Expected;
      const { image } = await queryPod(pod.kubectl, servingPod("rs"), ["image"], expected);
      assert.ok(image !== undefined && "value" in image, JSON.stringify(image));
      assert.deepEqual([image.value.env, image.value.ini], [null, null]);
    });
  }

  for (const [what, database, error] of [
    ["the same database", "postgres", null],
    ["another database", "template1", "env.py connects to another database than that of DATABASE_URL"],
  ] as const)
    it(`recognize an env.py that connects to ${what} by variables of its own`, async () => {
      using folder = temporaryFolder();
      using pod = podWith("asyncpg", folder.path);
      const { hostname, port } = new URL(postgres.url);
      mkdirSync(join(folder.path, "alembic", "versions"), { recursive: true });
      writeFileSync(join(folder.path, "alembic.ini"), "[alembic]\nscript_location = alembic\n");
      const url = `postgresql+asyncpg://app:p%40ss@${hostname}:${port}/${database}`;
      writeFileSync(
        join(folder.path, "alembic", "env.py"),
        (environments.asyncpg ?? "").replace(/os.environ\[.*?\]/, `"${url}"`),
      );
      const expected = { chain, namespace: "n" } as unknown as Expected;
      const { image } = await queryPod(pod.kubectl, servingPod("rs"), ["image"], expected);
      assert.ok(image !== undefined && "value" in image, JSON.stringify(image));
      assert.equal(image.value.env, error);
    });

  it("name the drivers if the image has none", async () => {
    using folder = temporaryFolder();
    using pod = podWith(undefined, folder.path);
    const { reading } = await readLive(pod.kubectl, false, chain);
    assert.ok(reading.kind === "unreachable", JSON.stringify(reading));
    assert.match(
      reading.cause,
      /the image has no driver for PostgreSQL; install one of psycopg, psycopg2, pg8000, asyncpg/,
    );
  });
});
