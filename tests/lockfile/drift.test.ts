import assert from "node:assert/strict";
import { describeChange } from "../../src/lockfile/database-schema/changes.ts";
import { type DatabaseSchema, emptySchema, type Table } from "../../src/lockfile/database-schema/database-schema.ts";
import { type DriftRules, driftOf } from "../../src/lockfile/database-schema/drift.ts";
import { openParser, type Parse } from "../../src/lockfile/sql-parser.ts";
import { defaultVersionTable } from "../../src/lockfile/version-table.ts";

describe("drift", () => {
  const users: Table = {
    kind: "table",
    columns: { id: { type: "bigint", notNull: true }, name: { type: "text", default: "'x'::text" } },
    indexes: { ix: { definition: "CREATE INDEX ix ON public.users USING btree (name)", columns: ["name"] } },
    statistics: { st: { definition: "CREATE STATISTICS public.st ON id, name FROM public.users" } },
  };
  const line: Table = { kind: "partitioned table", partitionKey: "RANGE (id)", columns: { id: { type: "bigint" } } };
  const part: Table = { kind: "table", partition: "FOR VALUES FROM (1) TO (2)", inherits: ["public.line"] };
  const expected: DatabaseSchema = {
    ...emptySchema,
    schemas: { public: {} },
    tables: { "public.line": line, "public.line_1": part, "public.users": users },
  };
  const versionTable: Table = {
    kind: "table",
    columns: { version_num: { type: "character varying(32)", notNull: true } },
  };

  /** Returns the live schema with other tables; `null` for those it lacks. */
  function withTables(tables: { readonly [name: string]: Table | null }, more: Partial<DatabaseSchema> = {}) {
    const all = Object.entries({ ...expected.tables, "public.alembic_version": versionTable, ...tables });
    const kept = all.filter((entry): entry is [string, Table] => entry[1] !== null);
    return { ...expected, tables: Object.fromEntries(kept), ...more };
  }

  function found(live: DatabaseSchema, rules: Partial<DriftRules> = {}) {
    const drift = driftOf(live, expected, { versionTable: defaultVersionTable, ignore: [], ...rules });
    const text = (changes: typeof drift.missing) => changes.map(describeChange);
    return { ...drift, lines: [...text(drift.missing), ...text(drift.extra), ...text(drift.different)] };
  }

  it("is none of an untouched database with its version table", () => {
    assert.deepEqual(found(withTables({})).lines, []);
  });

  it("is not the schema that the version table needs before the first revision", () => {
    const more = { schemas: { public: {}, billing: {}, other: {} } };
    const versionTable = { schema: "billing", name: "versions" };
    assert.deepEqual(found(withTables({ "public.alembic_version": null }, more), { versionTable }).lines, [
      "+ schema other",
    ]);
  });

  it("is what is missing, extra, and different", () => {
    const { ix: _, ...indexes } = users.indexes ?? {};
    const changed: Table = { ...users, indexes, columns: { ...users.columns, name: { type: "text" } } };
    const drift = found(withTables({ "public.users": changed, "public.extra": line }));
    assert.deepEqual(drift.missing.map(describeChange), [
      "- index public.users.ix: CREATE INDEX ix ON public.users USING btree (name)",
    ]);
    assert.deepEqual(drift.extra.map(describeChange), ["+ table public.extra"]);
    assert.deepEqual(drift.different.map(describeChange), ["~ column public.users.name: default 'x'::text -> none"]);
    assert.equal(drift.live.tables["public.users"]?.columns?.name?.default, undefined);
  });

  it("ignores the objects, parts, properties, and roles that a stack names", () => {
    const changed: Table = {
      ...users,
      options: ["fillfactor=70"],
      indexes: {},
      grants: { reporting: ["SELECT"] },
      columns: { ...users.columns, name: { type: "text" } },
    };
    const live = withTables(
      { "public.users": changed, "public.tmp_1": line },
      {
        functions: { "public.f(integer, text)": { kind: "function", definition: "" } },
        sequences: {
          "public.other": {
            ...{ type: "bigint", start: 1, increment: 1, minimum: 1, maximum: 2, cache: 1 },
            ownedBy: { table: "public.tmp_1", column: "id" },
          },
        },
      },
    );
    const ignore = ["public.tmp_*", "public.users.ix", "public.users.name.default", "public.users.options", "public.f"];
    const drift = found(live, { ignore: [...ignore, "role:reporting"] });
    assert.deepEqual(drift.lines, []);
    assert.equal(drift.ignored.length, 7);
    assert.deepEqual(found(live, { ignore: ["public.tmp", "public.user", "users"] }).lines.length, 7);
  });

  it("is not the order in which a table got its columns", () => {
    const statistics = { st: { definition: "CREATE STATISTICS public.st ON name, id FROM public.users" } };
    assert.deepEqual(found(withTables({ "public.users": { ...users, statistics } })).lines, []);
  });

  it("is not what the runner grants its application role", () => {
    const rows = ["DELETE", "INSERT", "SELECT", "UPDATE"];
    const live = withTables(
      { "public.users": { ...users, grants: { app: rows } }, "public.extra": { ...line, grants: { app: rows } } },
      { schemas: { public: { grants: { app: ["USAGE"], PUBLIC: ["USAGE"] } } } },
    );
    const drift = found(live, { applicationRole: "app" });
    assert.deepEqual(drift.lines, ["+ table public.extra"]);
    assert.equal(drift.live.tables["public.extra"]?.grants, undefined);
    const more = withTables({ "public.users": { ...users, grants: { app: [...rows, "TRUNCATE"] } } });
    assert.deepEqual(found(more, { applicationRole: "app" }).lines, ["+ grant on public.users to app"]);
    assert.deepEqual(found(live).lines.length, 4);
  });

  it("is not what the runner granted an earlier application role", () => {
    const rows = ["DELETE", "INSERT", "SELECT", "UPDATE"];
    // The runner lets its role only read the version table.
    const granted = (own: string[], ofUsers = rows) => ({
      "public.alembic_version": { ...versionTable, grants: { before: own } },
      "public.users": { ...users, grants: { before: ofUsers } },
      "public.extra": { ...line, grants: { before: rows } },
    });
    const table = "+ table public.extra";
    const grant = "+ grant on public.users to before";
    const lines = (...given: Parameters<typeof granted>) => found(withTables(granted(...given))).lines;
    assert.deepEqual(lines(["SELECT"]), [table]);
    assert.deepEqual(lines(rows), [table, grant]);
    assert.deepEqual(lines(["SELECT"], ["SELECT"]), [table, grant]);
    assert.deepEqual(lines(["SELECT"], [...rows, "TRUNCATE"]), [table, grant]);
  });

  it("is not what partition managers make", () => {
    const child: Table = { ...part, partition: "FOR VALUES FROM (2) TO (3)" };
    const tables = { "public.line_1": null, "public.line_2": child, "partman.template_public_line": line };
    const pg_partman = { version: "5.1.0", schema: "partman" };
    const extra = ["+ extension pg_partman"];
    assert.deepEqual(found(withTables(tables, { extensions: { pg_partman } })).lines, extra);
    assert.equal(found(withTables(tables)).lines.length, 3);
  });

  it("is not what TimescaleDB makes", () => {
    const blocker = { definition: "CREATE TRIGGER ts_insert_blocker …" };
    const live = withTables(
      {
        "_timescaledb_internal._hyper_1_1_chunk": line,
        "public.users": { ...users, triggers: { ts_insert_blocker: blocker } },
      },
      {
        extensions: { timescaledb: { version: "2.17.0", schema: "public" } },
        schemas: { public: {}, _timescaledb_internal: {}, timescaledb_information: {} },
      },
    );
    assert.deepEqual(found(live).lines, ["+ extension timescaledb"]);
  });

  it("is not the version of an extension, nor whether a materialized view has rows", () => {
    const view = { kind: "materialized view", definition: " SELECT 1;", unpopulated: true } as const;
    const base = {
      ...expected,
      extensions: { citext: { version: "1.5", schema: "public" } },
      views: { "public.v": view },
    };
    const { unpopulated: _, ...filled } = view;
    const live = {
      ...base,
      extensions: { citext: { version: "1.6", schema: "public" } },
      views: { "public.v": filled },
    };
    const drift = driftOf(live, base, { versionTable: defaultVersionTable, ignore: [] });
    assert.deepEqual([...drift.missing, ...drift.extra, ...drift.different], []);
  });

  it("is not how another major version prints a definition", async () => {
    const otherVersion = await openParser();
    const withView = (definition: string): DatabaseSchema => ({
      ...expected,
      tables: {
        ...expected.tables,
        "public.users": {
          ...users,
          grants: { r: definition.includes("users.id") ? ["SELECT"] : ["MAINTAIN", "SELECT"] },
        },
      },
      views: { "public.v": { kind: "view", definition } },
    });
    const differences = (one: string, other: string, parse?: Parse) => {
      const rules = { versionTable: defaultVersionTable, ignore: [], parse };
      return driftOf(withView(one), withView(other), rules).different.map(({ path }) => path.join("."));
    };
    const [old, now] = [" SELECT users.id\n   FROM public.users;", " SELECT id\n   FROM public.users;"];
    assert.deepEqual(differences(old, now, otherVersion), []);
    assert.deepEqual(differences(old, now), ["grants.r", "definition"]);
    assert.deepEqual(differences(old, " SELECT name\n   FROM public.users;", otherVersion), ["definition"]);
  });

  it("is the change of a column with the name grants, whatever the version", async () => {
    const withColumn = (type: string) => withTables({ "public.users": { ...users, columns: { grants: { type } } } });
    const rules = { versionTable: defaultVersionTable, ignore: ["role:type"], parse: await openParser() };
    const { different } = driftOf(withColumn("text"), withColumn("bigint"), rules);
    assert.deepEqual(different.map(describeChange), ["~ column public.users.grants: type bigint -> text"]);
  });
});
