import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openParser } from "../../cli/lock/sql/parser.ts";
import { Relations } from "../../cli/lock/sql/relations.ts";
import { effectOf } from "../../cli/lock/sql/statements.ts";
import { type LockMode, lockModes, stronger } from "../../migrations/statement-lock.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython } from "./unity.ts";

/** What is there before each statement. */
const setup = [
  "CREATE TABLE parent (id bigint PRIMARY KEY, name text, n integer)",
  "CREATE TABLE other (id bigint PRIMARY KEY)",
  "CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES parent (id), other_id bigint, v integer, CONSTRAINT fk_other FOREIGN KEY (other_id) REFERENCES other (id))",
  "CREATE INDEX ix_child_v ON child (v)",
  "CREATE UNIQUE INDEX ix_parent_name ON parent (name)",
  "CREATE TABLE line (id bigint, at date) PARTITION BY RANGE (at)",
  "CREATE TABLE line_1 PARTITION OF line FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
  "CREATE TABLE line_2 (id bigint, at date)",
  "CREATE TABLE loose (id bigint, at date)",
  "CREATE TABLE base (id bigint, at date)",
  "ALTER TABLE loose ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
  "CREATE VIEW seen AS SELECT id FROM other",
  "CREATE MATERIALIZED VIEW kept AS SELECT id FROM other",
  "CREATE UNIQUE INDEX ix_kept ON kept (id)",
  "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  "CREATE TRIGGER touched BEFORE UPDATE ON loose FOR EACH ROW EXECUTE FUNCTION touch()",
  "CREATE POLICY own ON loose USING (true)",
  "CREATE RULE quiet AS ON DELETE TO loose DO INSTEAD NOTHING",
  "CREATE TYPE mood AS ENUM ('good')",
  "CREATE SEQUENCE numbers",
  "CREATE SCHEMA apart",
];

/** Every form whose locks the lock file records, as a migration writes it. */
const inTransaction = [
  // tables
  "CREATE TABLE made (id bigint)",
  "CREATE TABLE made (id bigint REFERENCES parent (id), o bigint, FOREIGN KEY (o) REFERENCES other (id))",
  "CREATE TABLE made (LIKE parent)",
  "CREATE TABLE made () INHERITS (loose)",
  "CREATE TABLE made PARTITION OF line FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
  "CREATE TABLE made AS SELECT * FROM parent",
  "SELECT id INTO made FROM parent",
  "DROP TABLE child",
  "DROP TABLE loose, line_2",
  "DROP TABLE parent CASCADE",
  "TRUNCATE child",
  "TRUNCATE parent CASCADE",
  "LOCK TABLE loose IN SHARE MODE",
  "LOCK TABLE loose",
  // ALTER TABLE
  "ALTER TABLE loose ADD COLUMN c text",
  "ALTER TABLE loose ADD COLUMN c text NOT NULL DEFAULT 'x'",
  "ALTER TABLE loose ADD COLUMN c bigint REFERENCES parent (id)",
  "ALTER TABLE loose DROP COLUMN id",
  "ALTER TABLE child DROP COLUMN parent_id",
  "ALTER TABLE child ALTER COLUMN parent_id TYPE integer",
  "ALTER TABLE parent ALTER COLUMN n TYPE bigint",
  "ALTER TABLE parent ALTER COLUMN id TYPE numeric",
  "ALTER TABLE parent DROP COLUMN id CASCADE",
  "ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE",
  "ALTER TABLE parent ALTER COLUMN n SET NOT NULL",
  "ALTER TABLE parent ALTER COLUMN id DROP DEFAULT",
  "ALTER TABLE parent ALTER COLUMN n SET DEFAULT 1",
  "ALTER TABLE parent ALTER COLUMN n SET STATISTICS 10",
  "ALTER TABLE parent ALTER COLUMN name SET STORAGE EXTERNAL",
  "ALTER TABLE parent ALTER COLUMN n SET (n_distinct = 5)",
  "ALTER TABLE loose ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES parent (id)",
  "ALTER TABLE loose ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES parent (id) NOT VALID",
  "ALTER TABLE loose ADD CONSTRAINT ck CHECK (id > 0)",
  "ALTER TABLE loose ADD CONSTRAINT ck CHECK (id > 0) NOT VALID",
  "ALTER TABLE loose ADD CONSTRAINT u UNIQUE (id)",
  "ALTER TABLE loose ADD PRIMARY KEY (id)",
  "ALTER TABLE parent ADD CONSTRAINT u UNIQUE USING INDEX ix_parent_name",
  "ALTER TABLE loose VALIDATE CONSTRAINT positive",
  "ALTER TABLE loose DROP CONSTRAINT positive",
  "ALTER TABLE child DROP CONSTRAINT fk_other",
  "ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey",
  "ALTER TABLE loose SET (fillfactor = 70)",
  "ALTER TABLE loose SET (user_catalog_table = true)",
  "ALTER TABLE loose RESET (fillfactor)",
  "ALTER TABLE loose SET UNLOGGED",
  "ALTER TABLE loose REPLICA IDENTITY FULL",
  "ALTER TABLE loose ENABLE ROW LEVEL SECURITY",
  "ALTER TABLE loose OWNER TO postgres",
  "ALTER TABLE loose DISABLE TRIGGER touched",
  "ALTER TABLE loose ENABLE TRIGGER ALL",
  "ALTER TABLE parent CLUSTER ON ix_parent_name",
  "ALTER TABLE line ATTACH PARTITION line_2 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
  "ALTER TABLE line DETACH PARTITION line_1",
  "ALTER TABLE line_2 INHERIT base",
  "ALTER TABLE loose RENAME TO moved",
  "ALTER TABLE loose RENAME COLUMN id TO number",
  "ALTER TABLE loose RENAME CONSTRAINT positive TO above",
  "ALTER TABLE loose SET SCHEMA apart",
  "ALTER TABLE loose ADD COLUMN c text, ALTER COLUMN id SET STATISTICS 10",
  // indexes
  "CREATE INDEX ON parent (n)",
  "CREATE UNIQUE INDEX ON parent (n)",
  "DROP INDEX ix_child_v",
  "ALTER INDEX ix_child_v RENAME TO ix_other",
  "REINDEX TABLE child",
  "REINDEX INDEX ix_child_v",
  // what hangs on tables
  "CREATE TRIGGER t BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION touch()",
  "DROP TRIGGER touched ON loose",
  "CREATE RULE r AS ON DELETE TO parent DO INSTEAD NOTHING",
  "DROP RULE quiet ON loose",
  "CREATE POLICY p ON parent USING (true)",
  "ALTER POLICY own ON loose USING (false)",
  "DROP POLICY own ON loose",
  "CREATE STATISTICS s ON id, name FROM parent",
  "COMMENT ON TABLE parent IS 'x'",
  "COMMENT ON COLUMN parent.n IS 'x'",
  "COMMENT ON CONSTRAINT positive ON loose IS 'x'",
  "COMMENT ON INDEX ix_child_v IS 'x'",
  "GRANT SELECT ON parent TO PUBLIC",
  // views
  "CREATE VIEW v AS SELECT * FROM parent",
  "CREATE OR REPLACE VIEW seen AS SELECT id FROM other WHERE id > 0",
  "DROP VIEW seen",
  "CREATE MATERIALIZED VIEW m AS SELECT * FROM parent",
  "REFRESH MATERIALIZED VIEW kept",
  "REFRESH MATERIALIZED VIEW CONCURRENTLY kept",
  "DROP MATERIALIZED VIEW kept",
  "CLUSTER parent USING ix_parent_name",
  "ANALYZE parent",
  // rows
  "SELECT * FROM parent",
  "SELECT * FROM parent FOR UPDATE",
  "SELECT count(*) FROM parent",
  "SELECT setval('numbers', 5)",
  "INSERT INTO other VALUES (1)",
  "INSERT INTO parent SELECT 1, 'x' FROM other",
  "UPDATE parent SET n = 1",
  "DELETE FROM child",
  "WITH gone AS (DELETE FROM child RETURNING id) INSERT INTO other SELECT id FROM gone",
  "MERGE INTO other USING parent ON other.id = parent.id WHEN NOT MATCHED THEN INSERT VALUES (parent.id)",
  // no table
  "CREATE SEQUENCE s",
  "ALTER SEQUENCE numbers INCREMENT 2",
  "CREATE TYPE t AS ENUM ('a')",
  "ALTER TYPE mood ADD VALUE 'bad'",
  "CREATE SCHEMA empty",
  "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
  "SET LOCAL lock_timeout = '1s'",
];

/** Forms that can't run in a transaction, with the table that they wait for. */
const alone: readonly [statement: string, table: string][] = [
  ["CREATE INDEX CONCURRENTLY ix_new ON parent (n)", "parent"],
  ["DROP INDEX CONCURRENTLY ix_new", "parent"],
  ["REINDEX INDEX CONCURRENTLY ix_child_v", "child"],
  ["REINDEX TABLE CONCURRENTLY child", "child"],
  ["ALTER TABLE line DETACH PARTITION line_1 CONCURRENTLY", "line"],
  ["VACUUM parent", "parent"],
  ["VACUUM (FULL) parent", "parent"],
];

/** The strongest lock on each table, where it is more than a reader's. */
function strongest(locks: readonly { table: string; mode: LockMode }[]): Record<string, LockMode> {
  const found: Record<string, LockMode> = {};
  for (const { table, mode } of locks) found[table] = stronger(mode, found[table] ?? "ACCESS SHARE");
  return Object.fromEntries(
    Object.entries(found)
      .filter(([, mode]) => lockModes.indexOf(mode) > 1)
      .sort(),
  );
}

/** `ShareRowExclusiveLock` of pg_locks as the documentation writes it. */
function modeOf(name: string): LockMode {
  const words = name
    .replace(/Lock$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
  const mode = lockModes.find((known) => known === words);
  assert.ok(mode, name);
  return mode;
}

describe("locks of statements, compared with PostgreSQL's own", function () {
  this.timeout(120_000);
  let postgres: Postgres;
  const taken = new Map<string, Record<string, LockMode>>();
  let effect: (statement: string) => ReturnType<typeof effectOf>;

  before(async () => {
    const [started, python, parse] = await Promise.all([startPostgres(), alembicPython(), openParser()]);
    postgres = started;
    const statements = [...inTransaction.map((sql) => [sql, null]), ...alone];
    const input = JSON.stringify({ url: postgres.url, setup, statements });
    const script = join(import.meta.dirname, "statement_locks.py");
    const { status, stdout, stderr } = spawnSync(python, ["-B", script], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const answers: [string, string][][] = JSON.parse(stdout);
    for (const [index, locks] of answers.entries()) {
      const found = locks.map(([table, mode]) => ({ table, mode: modeOf(mode) }));
      taken.set(`${statements[index]?.[0]}`, strongest(found));
    }
    const nodes = (sql: string) => {
      const parsed = parse(sql);
      assert.ok(!("fault" in parsed), sql);
      return parsed;
    };
    const relations = new Relations();
    for (const sql of setup) for (const node of nodes(sql)) relations.note(node);
    relations.note(nodes("CREATE INDEX ix_new ON parent (n)")[0] as never);
    effect = (sql) => effectOf(nodes(sql)[0] as never, relations);
  });
  after(() => postgres?.stop());

  for (const sql of inTransaction) {
    it(sql, () => {
      const { locks, unknown } = effect(sql);
      assert.deepEqual([strongest(locks), unknown], [taken.get(sql), undefined]);
    });
  }

  for (const [sql, table] of alone) {
    it(`${sql} (waits for ${table})`, () => {
      assert.ok(taken.get(sql)?.[table]);
      assert.equal(strongest(effect(sql).locks)[table], taken.get(sql)?.[table]);
    });
  }

  const notKnown: readonly [sql: string, reason: RegExp][] = [
    ["DO 'BEGIN END'", /DO block runs code/],
    ["CALL p()", /procedure/],
    ["SELECT create_hypertable('parent', 'at')", /calls create_hypertable\(\), which may do anything/],
    ["DROP INDEX ix_of_no_one", /index ix_of_no_one, which no statement before made/],
    ["ALTER INDEX ix_of_no_one SET (fillfactor = 70)", /index ix_of_no_one/],
    ["DROP SCHEMA apart CASCADE", /CASCADE drops whatever depends on it/],
    ["ALTER DOMAIN d ADD CHECK (VALUE > 0)", /each table that has a column of the domain/],
    ["VACUUM", /every table/],
    ["REINDEX DATABASE postgres", /many tables/],
    ["IMPORT FOREIGN SCHEMA s FROM SERVER t INTO u", /ImportForeignSchema/],
  ];
  for (const [sql, reason] of notKnown) {
    it(`${sql}: not known, with the reason`, () => {
      assert.match(effect(sql).unknown ?? "", reason);
      assert.deepEqual(effect(sql).locks, []);
    });
  }
});
