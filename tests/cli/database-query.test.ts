import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { findProgram } from "../../local/cluster/prerequisites.ts";
import { readDatabase } from "../../src/checks/database-facts.ts";
import { queryPod, runCustomInPod } from "../../src/checks/pod-facts.ts";
import type { Expected } from "../../src/checks/result.ts";
import { queryDatabase } from "../../src/cluster/database-query.ts";
import type { Kubectl } from "../../src/cluster/kubectl.ts";
import { readLive, readSchema } from "../../src/cluster/live-state.ts";
import { readRuns } from "../../src/cluster/run-records.ts";
import { defaultVersionTable, versionTableName } from "../../src/lockfile/version-table.ts";
import { lockedRevision } from "../fixtures/chains/locks.ts";
import { endWithTests } from "../support/children.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { servingPod } from "../support/kubernetes.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython } from "./unity.ts";

/** A chain without revisions. */
const chainAt = (versionTable = defaultVersionTable) => ({ versionTable, revisions: [] });
/** Body of a function whose error shows the role that it runs as. */
const trap = "LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'ran as %', current_user; END$$";
const upgraded =
  "CREATE TABLE public.alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('a')";

/** Functions that match the arguments of a query better than PostgreSQL's own. */
const betterMatches = [
  `CREATE FUNCTION public.trap(json, varchar) RETURNS json ${trap}`,
  "CREATE AGGREGATE public.json_agg(varchar) (SFUNC = public.trap, STYPE = json, INITCOND = '[]')",
  `CREATE FUNCTION public.trap(jsonb, varchar) RETURNS jsonb ${trap}`,
  "CREATE AGGREGATE public.jsonb_agg(varchar) (SFUNC = public.trap, STYPE = jsonb, INITCOND = '[]')",
  `CREATE FUNCTION public.jsonb_build_object(text, name[], text, name) RETURNS jsonb ${trap}`,
  `CREATE FUNCTION public.differs(name, text) RETURNS boolean ${trap}`,
  "CREATE OPERATOR public.<> (LEFTARG = name, RIGHTARG = text, PROCEDURE = public.differs)",
];

/** Tables of another role that run its code when they are read, by name. */
const unsafeTables: Readonly<Record<string, readonly string[]>> = {
  "a view": [
    `CREATE FUNCTION public.trap() RETURNS varchar ${trap}`,
    "CREATE VIEW public.alembic_version AS SELECT public.trap() AS version_num",
  ],
  "a policy": [
    `CREATE FUNCTION public.trap() RETURNS boolean ${trap}`,
    "CREATE TABLE public.alembic_version AS SELECT 'a'::varchar AS version_num",
    "ALTER TABLE public.alembic_version ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY trap ON public.alembic_version USING (public.trap())",
    "GRANT SELECT ON public.alembic_version TO PUBLIC",
  ],
  "a type with a cast to JSON": [
    "CREATE TYPE public.trap AS ENUM ('a')",
    `CREATE FUNCTION public.trap(public.trap) RETURNS json ${trap}`,
    "CREATE CAST (public.trap AS json) WITH FUNCTION public.trap(public.trap)",
    "CREATE TABLE public.alembic_version AS SELECT 'a'::public.trap AS version_num",
    "GRANT SELECT ON public.alembic_version TO PUBLIC",
  ],
  "an index on an expression": [
    `CREATE FUNCTION public.trap(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN
      IF current_user <> 'attacker' THEN RAISE EXCEPTION 'ran as %', current_user; END IF; RETURN 1; END$$`,
    "CREATE TABLE public.alembic_version AS SELECT 'a'::varchar AS version_num",
    "CREATE INDEX ON public.alembic_version ((public.trap(1)))",
    "GRANT SELECT ON public.alembic_version TO PUBLIC",
  ],
};

describe("queries of the database, where another role may create objects", () => {
  let postgres: Postgres;
  let python: string;
  let databases = 0;

  before(async () => {
    [postgres, python] = await Promise.all([startPostgres(), alembicPython()]);
    execute("postgres", "postgres", ["CREATE ROLE attacker LOGIN", "CREATE ROLE homelab_user SUPERUSER LOGIN"]);
  });
  after(() => postgres?.stop());

  function urlOf(role: string, database: string): string {
    return postgres.url.replace(/postgres@/, `${role}@`).replace(/[^/]+$/, database);
  }

  function execute(role: string, database: string, statements: readonly string[]): void {
    const input = JSON.stringify({ url: urlOf(role, database), statements });
    const script = join(import.meta.dirname, "catalog.py");
    const { status, stderr } = spawnSync(python, ["-B", script], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  /**
   * Creates a database with objects of the attacker.
   *
   * @param role - Role of the backend's URL.
   * @returns A kubectl that runs a pod's command here.
   */
  function attacked(own: readonly string[], attack: readonly string[], role = "homelab_user") {
    databases += 1;
    const database = `test${databases}`;
    execute("postgres", "postgres", [`CREATE DATABASE ${database}`]);
    execute("homelab_user", database, ["GRANT CREATE ON SCHEMA public TO attacker", ...own]);
    execute("attacker", database, attack);
    const url = new URL(urlOf(role, database));
    const items = ["postgres", "unity-backend"].map((name) => ({
      kind: "Deployment",
      metadata: { name, annotations: { "pulumi.com/patchForce": "true" } },
      status: { replicas: 1 },
    }));
    return kubectlProgram(`#!/bin/sh
case "$*" in *" get "*) echo '${JSON.stringify({ items })}'; exit ;; esac
export PATH=${dirname(python)}:$PATH DATABASE_URL=${url.href} PGHOST=${url.hostname} PGPORT=${url.port}
while [ "$1" != -- ]; do shift; done
shift
[ "$1" != psql ] || { shift; set -- psql "$@" -d ${database}; }
exec "$@"
`);
  }

  async function readRows(kubectl: Kubectl, owned: boolean, table = defaultVersionTable) {
    const { reading } = await readLive(kubectl, owned, chainAt(table));
    assert.equal(reading.kind, "rows");
    return reading.rows;
  }

  for (const owned of [true, false]) {
    const client = owned ? "psql" : "a driver";

    it(`with ${client}, call only PostgreSQL's own functions and operators`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      using kubectl = attacked([upgraded], betterMatches);
      assert.deepEqual(await readRows(kubectl.kubectl, owned), ["a"]);
      assert.deepEqual((await readDatabase(kubectl.kubectl, chainAt(), owned))?.revisions, ["a"]);
      assert.deepEqual(await readRuns(kubectl.kubectl, { owned }), []);
    });

    for (const [name, attack] of Object.entries(unsafeTables)) {
      it(`with ${client}, reject ${name} in place of alembic_version`, async function () {
        if (owned && findProgram("psql") === undefined) this.skip();
        using kubectl = attacked([], attack);
        const { reading } = await readLive(kubectl.kubectl, owned, chainAt());
        assert.ok(reading.kind === "unreachable", JSON.stringify(reading));
        assert.match(reading.cause, /alembic_version is not a plain table/);
        assert.doesNotMatch(reading.cause, /ran as/);
      });
    }
  }

  for (const owned of [true, false]) {
    const client = owned ? "psql" : "a driver";
    for (const table of [
      { schema: "billing", name: "billing_version" },
      { schema: null, name: "Versions" },
      { schema: 'My "Schema"', name: `it's "a.b" \\ $$ :x %s` },
    ]) {
      it(`with ${client}, read ${versionTableName(table)}`, async function () {
        if (owned && findProgram("psql") === undefined) this.skip();
        const name = versionTableName(table);
        const schema = table.schema === null ? [] : [`CREATE SCHEMA "${table.schema.replaceAll('"', '""')}"`];
        const rows = [`CREATE TABLE ${name} (version_num varchar(32))`, `INSERT INTO ${name} VALUES ('b')`];
        using kubectl = attacked([upgraded, ...schema, ...rows], []);
        assert.deepEqual(await readRows(kubectl.kubectl, owned, table), ["b"]);
        assert.deepEqual((await readDatabase(kubectl.kubectl, chainAt(table), owned))?.revisions, ["b"]);
        const other = { ...table, name: `${table.name}2` };
        assert.equal(await readRows(kubectl.kubectl, owned, other), null);
        const view = [`CREATE VIEW ${versionTableName(other)} AS SELECT 1 AS version_num`];
        using unsafe = attacked([...schema, ...view], []);
        const { reading } = await readLive(unsafe.kubectl, owned, chainAt(other));
        assert.ok(
          reading.kind === "unreachable" && reading.cause.includes("is not a plain table"),
          JSON.stringify(reading),
        );
      });
    }
  }

  for (const owned of [true, false]) {
    const client = owned ? "psql" : "a driver";

    it(`with ${client}, read the rollback window of a revision that the chain lacks`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      const steps = [
        { id: "b", after: "a", blocker: null },
        { id: "a", after: "0", blocker: "drops it's :relation" },
      ];
      const rollback = JSON.stringify({ version: 1, table: defaultVersionTable, revisions: steps }).replaceAll(
        "'",
        "''",
      );
      const runs = [
        "CREATE SCHEMA pulumi_alembic",
        "CREATE TABLE pulumi_alembic.runs (id int, image text, started_at timestamptz, rollback jsonb)",
        `INSERT INTO pulumi_alembic.runs VALUES (1, 'shop:2.0', '2026-11-30 10:00:00+00', '${rollback}')`,
      ];
      using kubectl = attacked([upgraded, "UPDATE alembic_version SET version_num = 'b'", ...runs], []);
      const { reading } = await readLive(kubectl.kubectl, owned, chainAt());
      assert.ok(reading.kind === "rows" && reading.window !== undefined, JSON.stringify(reading));
      const { startedAt, ...window } = reading.window;
      assert.match(startedAt, /^2026-11-30T/);
      const end = { revision: "a", blocker: "drops it's :relation" };
      assert.deepEqual(window, { image: "shop:2.0", heads: ["a"], end });
      assert.deepEqual((await readDatabase(kubectl.kubectl, chainAt(), owned))?.window, reading.window);
      const chain = { ...chainAt(), revisions: [lockedRevision("b")] };
      const known = await readLive(kubectl.kubectl, owned, chain);
      assert.ok(known.reading.kind === "rows" && known.reading.window === undefined, JSON.stringify(known.reading));
    });

    it(`with ${client}, read no window from records of an earlier release`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      const runs = [
        "CREATE SCHEMA pulumi_alembic",
        "CREATE TABLE pulumi_alembic.runs (id int, image text, started_at timestamptz)",
        "INSERT INTO pulumi_alembic.runs VALUES (1, 'shop:2.0', now())",
      ];
      using kubectl = attacked([upgraded, ...runs], []);
      const { reading } = await readLive(kubectl.kubectl, owned, chainAt());
      assert.ok(reading.kind === "rows" && reading.window === undefined, JSON.stringify(reading));
    });

    it(`with ${client}, read how long runs blocked others, also without the column`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      const columns = [
        "id int, started_at timestamptz, finished_at timestamptz, direction text, from_revisions text[]",
        "to_revisions text[], target text[], image text, plan_hash text, outcome text, error text, runner text",
      ];
      const blocked = async (more: readonly string[]) => {
        const runs = [`CREATE TABLE pulumi_alembic.runs (${columns})`, "INSERT INTO pulumi_alembic.runs VALUES (1)"];
        using kubectl = attacked([upgraded, "CREATE SCHEMA pulumi_alembic", ...runs, ...more], []);
        return (await readRuns(kubectl.kubectl, { owned })).map(({ blockedSeconds }) => blockedSeconds);
      };
      assert.deepEqual(await blocked([]), [null]);
      const column = "ALTER TABLE pulumi_alembic.runs ADD COLUMN blocked_seconds double precision DEFAULT 1.5";
      assert.deepEqual(await blocked([column]), [1.5]);
    });
  }

  for (const owned of [true, false]) {
    const client = owned ? "psql" : "a driver";
    const rehearsal = { chain: "", postgres: "15", env: [], models: null };

    it(`with ${client}, read the schema of 500 tables with the revision`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      const tables = Array.from(
        { length: 500 },
        (_, index) =>
          `CREATE TABLE t${index} (id bigint PRIMARY KEY, a text DEFAULT 'it''s \\ :x %s' CHECK (a <> ''), b int UNIQUE)`,
      );
      using kubectl = attacked([upgraded, ...tables], betterMatches);
      const { reading } = await readLive(kubectl.kubectl, owned, { ...chainAt(), rehearsal });
      assert.ok(reading.kind === "rows" && reading.schema !== undefined && "schema" in reading.schema);
      const { version, schema } = reading.schema;
      assert.equal(version, "15");
      assert.ok(Object.keys(schema.tables).length > 500);
      assert.deepEqual(schema.tables["public.t7"]?.columns?.a, { type: "text", default: "'it''s \\ :x %s'::text" });
      const again = await readSchema(kubectl.kubectl, { ...chainAt(), rehearsal }, { owned });
      assert.deepEqual(again, reading);
    });

    it(`with ${client}, read the revision even if the schema can't be read`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      using kubectl = attacked([upgraded], []);
      const query = { table: defaultVersionTable, query: "SELECT '1'", more: "SELECT to_json(1 / 0)" };
      const [answer] = await queryDatabase(kubectl.kubectl, query, { owned });
      assert.ok(answer !== undefined && "value" in answer && answer.value === 1);
      assert.ok(answer.more !== undefined && "cause" in answer.more);
      assert.match(answer.more.cause, /division by zero/);
    });

    it(`with ${client}, don't wait for a lock on a table to read its schema`, async function () {
      if (owned && findProgram("psql") === undefined) this.skip();
      using kubectl = attacked([upgraded, "CREATE TABLE busy (id int DEFAULT 1 + 1)"], []);
      const lock =
        "import psycopg, sys, time; c = psycopg.connect(sys.argv[1]); c.execute('LOCK busy'); print(1, flush=True)";
      const args = ["-c", `${lock}; time.sleep(60)`, urlOf("homelab_user", `test${databases}`)];
      const locker = endWithTests(spawn(python, args, { stdio: ["ignore", "pipe", "inherit"] }));
      await once(locker.stdout, "data");
      const { reading } = await readLive(kubectl.kubectl, owned, { ...chainAt(), rehearsal });
      locker.kill();
      assert.ok(reading.kind === "rows" && reading.schema !== undefined);
      assert.deepEqual(reading.rows, ["a"]);
      if ("cause" in reading.schema) assert.match(reading.schema.cause, /lock timeout/);
    });
  }

  it("name each right of the backend's role that exceeds row access", async () => {
    const own = [
      "CREATE ROLE unity_group BYPASSRLS NOLOGIN",
      "GRANT pg_write_server_files TO unity_group",
      "CREATE ROLE unity_app LOGIN NOINHERIT REPLICATION IN ROLE unity_group",
      "CREATE FUNCTION public.theirs() RETURNS int LANGUAGE sql RETURN 1",
      "ALTER FUNCTION public.theirs() OWNER TO unity_app",
    ];
    using kubectl = attacked([upgraded, ...own], [], "unity_app");
    const expected = { tables: [], chain: { versionTable: defaultVersionTable } } as unknown as Expected;
    const { privileges } = await queryPod(kubectl.kubectl, servingPod("rs"), ["privileges"], expected);
    assert.ok(privileges !== undefined && "value" in privileges, JSON.stringify(privileges));
    assert.deepEqual(privileges.value.excess.toSorted(), [
      "use BYPASSRLS through role unity_group",
      "use REPLICATION",
      "use membership in pg_write_server_files",
      "use ownership of function public.theirs()",
    ]);
  });

  it("name the rights on a version table in another schema", async () => {
    const table = { schema: "billing", name: "Versions" };
    const own = [
      "CREATE ROLE billing_app LOGIN",
      "CREATE SCHEMA billing",
      'CREATE TABLE billing."Versions" (version_num varchar(32))',
      'GRANT DELETE ON billing."Versions" TO billing_app',
    ];
    using kubectl = attacked(own, [], "billing_app");
    const expected = { tables: [], chain: { versionTable: table } } as unknown as Expected;
    const { privileges } = await queryPod(kubectl.kubectl, servingPod("rs"), ["privileges"], expected);
    assert.ok(privileges !== undefined && "value" in privileges, JSON.stringify(privileges));
    assert.deepEqual(privileges.value.lacking, { "billing.Versions": ["SELECT"] });
    assert.deepEqual(privileges.value.excess, ["write billing.Versions"]);
  });

  /** Runs the query of a custom check. */
  const runQuery = (kubectl: Kubectl) =>
    runCustomInPod(kubectl, servingPod("rs"), "sql_check", { query: "SELECT * FROM alembic_version", count: 1 }, 5);

  it("call only PostgreSQL's own functions around the query of a custom check", async () => {
    const traps = [
      `CREATE FUNCTION public.to_jsonb(record) RETURNS jsonb ${trap}`,
      `CREATE FUNCTION public.jsonb_build_array(jsonb) RETURNS jsonb ${trap}`,
      `CREATE FUNCTION public.joined(jsonb, jsonb) RETURNS jsonb ${trap}`,
      "CREATE OPERATOR public.|| (LEFTARG = jsonb, RIGHTARG = jsonb, PROCEDURE = public.joined)",
    ];
    const path = `ALTER DATABASE test${databases + 1} SET search_path = public, pg_catalog`;
    using kubectl = attacked([upgraded, path], traps);
    assert.deepEqual(await runQuery(kubectl.kubectl), [{ version_num: "a" }]);
  });

  it("take the table of the first schema in the role's path, which may have any name", async () => {
    const path = `ALTER DATABASE test${databases + 1} SET search_path = "My App", public`;
    const own = ['CREATE SCHEMA "My App"', 'CREATE TABLE "My App".alembic_version (version_num varchar(32))'];
    const rows = "INSERT INTO \"My App\".alembic_version VALUES ('b')";
    using kubectl = attacked([upgraded, ...own, rows, path], []);
    assert.deepEqual(await readRows(kubectl.kubectl, false), ["b"]);
    const facts = await readDatabase(kubectl.kubectl, chainAt(), false);
    assert.deepEqual(Object.keys(facts?.tables ?? {}).toSorted(), ["alembic_version", "public.alembic_version"]);
    assert.deepEqual(await runQuery(kubectl.kubectl), [{ version_num: "b" }]);
  });
});
