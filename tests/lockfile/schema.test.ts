import assert from "node:assert/strict";
import { type ChainSchema, chainSchema } from "../../src/lockfile/schema/chain-schema.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

/** Computes the schema of a chain of revisions with one statement each; `null` is a revision without SQL. */
function schemaOf(...statements: readonly (string | null)[]): Promise<ChainSchema> {
  const revisions = linearLock(...statements.map((_, index) => `r${index + 1}`)).revisions.map((revision, index) => {
    const sql = statements[index] ?? null;
    return { ...revision, upgrade: sql === null ? { sql, reason: "it queries the database" } : { sql: [sql] } };
  });
  return chainSchema({ revisions });
}

const parent = "CREATE TABLE p (id BIGSERIAL, CONSTRAINT pk_p PRIMARY KEY (id))";
const child = `CREATE TABLE c (
  id INTEGER, p_id BIGINT REFERENCES p ON DELETE CASCADE, tags TEXT[], value JSONB, at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT uq_c_tags UNIQUE (tags, value))`;
const columns = { id: "int4", p_id: "int8", tags: "_text", value: "jsonb", at: "timestamptz" };
const key = { name: "c_p_id_fkey", columns: ["p_id"], references: "p", onDelete: "c" };

describe("chainSchema", () => {
  it("contains columns with PostgreSQL's types, foreign keys, and indexes", async () => {
    const { tables, primaryKeys } = await schemaOf(
      `${parent}; ${child}`,
      "CREATE INDEX ix ON c (at DESC, lower(id::text))",
    );
    assert.deepEqual(primaryKeys, { p: ["id"] });
    assert.deepEqual(tables, {
      p: { columns: { id: "int8" }, foreignKeys: [], indexes: { pk_p: ["id"] } },
      c: { columns, foreignKeys: [key], indexes: { uq_c_tags: ["tags", "value"], ix: ["at", null] } },
    });
  });

  const changes: readonly [what: string, statement: string, (schema: ChainSchema) => unknown, unknown][] = [
    ["an added column", "ALTER TABLE c ADD COLUMN n NUMERIC", ({ tables }) => tables.c?.columns.n, "numeric"],
    [
      "a dropped column with its key and index",
      "ALTER TABLE c DROP COLUMN p_id, DROP COLUMN tags",
      ({ tables }) => tables.c,
      { columns: { id: "int4", value: "jsonb", at: "timestamptz" }, foreignKeys: [], indexes: {} },
    ],
    ["a changed type", "ALTER TABLE c ALTER COLUMN id TYPE TEXT", ({ tables }) => tables.c?.columns.id, "text"],
    [
      "an added key",
      "ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES p (id) NOT VALID",
      ({ tables, notValid }) => [tables.c?.foreignKeys.map(({ name }) => name), notValid],
      [["c_p_id_fkey", "fk"], ["c.fk"]],
    ],
    [
      "a key that is validated later",
      "ALTER TABLE c ADD CONSTRAINT ck CHECK (id > 0) NOT VALID; ALTER TABLE c VALIDATE CONSTRAINT ck",
      ({ notValid }) => notValid,
      [],
    ],
    [
      "dropped constraints",
      "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey, DROP CONSTRAINT uq_c_tags",
      ({ tables }) => [tables.c?.foreignKeys, tables.c?.indexes],
      [[], {}],
    ],
    [
      "primary keys of a column and of an index",
      "CREATE TABLE a (id INT PRIMARY KEY); CREATE UNIQUE INDEX ix ON c (id, at); " +
        "ALTER TABLE c ADD CONSTRAINT pk PRIMARY KEY USING INDEX ix",
      ({ primaryKeys }) => [primaryKeys.a, primaryKeys.c],
      [["id"], ["id", "at"]],
    ],
    [
      "primary keys dropped by name and with a column",
      "CREATE TABLE a (id INT PRIMARY KEY); ALTER TABLE a DROP CONSTRAINT a_pkey; ALTER TABLE p DROP COLUMN id",
      ({ primaryKeys }) => primaryKeys,
      {},
    ],
    [
      "a primary key with a renamed column",
      "ALTER TABLE p RENAME COLUMN id TO number",
      ({ primaryKeys }) => primaryKeys,
      { p: ["number"] },
    ],
    ["a dropped index", "CREATE INDEX ix ON c (at); DROP INDEX ix", ({ tables }) => tables.c?.indexes.ix, undefined],
    ["a dropped table with the keys to it", "DROP TABLE p CASCADE", ({ tables }) => tables.c?.foreignKeys, []],
    [
      "a renamed table with the keys to it",
      "ALTER TABLE p RENAME TO q",
      ({ tables }) => [Object.keys(tables).sort(), tables.c?.foreignKeys[0]?.references],
      [["c", "q"], "q"],
    ],
    [
      "a renamed column with its keys and indexes",
      "CREATE INDEX ix ON c (p_id, (p_id + 1)); ALTER TABLE c RENAME COLUMN p_id TO parent",
      ({ tables }) => [Object.keys(tables.c?.columns ?? {}), tables.c?.foreignKeys[0]?.columns, tables.c?.indexes.ix],
      [Object.keys(columns).map((name) => (name === "p_id" ? "parent" : name)), ["parent"], ["parent", null]],
    ],
    ["a changed default", "ALTER TABLE c ALTER COLUMN id SET DEFAULT 1", ({ tables }) => tables.c?.columns, columns],
    ["rows", "INSERT INTO c (id) VALUES (1)", ({ tables }) => tables.c?.columns, columns],
  ];
  for (const [what, statement, select, result] of changes) {
    it(`follows ${what}`, async () => assert.deepEqual(select(await schemaOf(parent, child, statement)), result));
  }

  const forgetting: readonly [string, string | null, readonly string[]][] = [
    ["a renamed index", "CREATE INDEX ix ON c (at); ALTER INDEX ix RENAME TO other", ["p"]],
    ["tables that a block of code names", "DO $$ BEGIN EXECUTE 'DROP TABLE c'; END $$", ["p"]],
    ["everything before a revision without SQL", null, []],
  ];
  for (const [what, statement, left] of forgetting) {
    it(`forgets the tables of ${what}`, async () => {
      assert.deepEqual(Object.keys((await schemaOf(parent, child, statement)).tables), left);
    });
  }
});
