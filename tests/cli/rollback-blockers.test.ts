import assert from "node:assert/strict";
import { annotate } from "../../src/cli/lock/annotate.ts";
import type { LockedSql } from "../../src/lockfile/lock.ts";
import { lockedRevision } from "../fixtures/chains/locks.ts";

const unknown: LockedSql = { sql: null, reason: "it queries the database" };

/** Returns the rollback blocker of the last of some upgrades, of one text each; `null` is one without SQL. */
async function blockerOf(
  upgrades: readonly (string | null | LockedSql)[],
  env: LockedSql = { sql: [] },
): Promise<string | null> {
  const revisions = upgrades.map((sql, index) =>
    lockedRevision(`r${index}`, {
      downRevisions: index === 0 ? [] : [`r${index - 1}`],
      upgrade: typeof sql === "string" ? { sql: [sql] } : (sql ?? unknown),
    }),
  );
  const annotated = await annotate({ env, revisions, maxIdLength: null }, () => {});
  return annotated.at(-1)?.rollbackBlocker ?? null;
}

const base = `CREATE TYPE mood AS ENUM ('good');
  CREATE TABLE servers (id int, mood mood, name varchar(50), note text, CONSTRAINT uq UNIQUE (id))`;
const limited = /^adds an index: its entries are limited to 2704 bytes: CREATE INDEX/;

describe("the rollback window of an index on an existing table", () => {
  const additive: readonly [what: string, upgrades: readonly string[]][] = [
    ["columns of limited size", [base, "CREATE INDEX i ON servers (name, mood, id)"]],
    ["a column of the same upgrade", [base, "ALTER TABLE servers ADD COLUMN a text; CREATE INDEX i ON servers (a)"]],
    [
      "a column of limited type since then",
      [base, "ALTER TABLE servers ALTER note TYPE varchar(9)", "CREATE INDEX i ON servers (note)"],
    ],
    ["a renamed column", [base, "ALTER TABLE servers RENAME name TO label", "CREATE INDEX i ON servers (label)"]],
  ];
  for (const [what, upgrades] of additive)
    it(`stays open: ${what}`, async () => assert.equal(await blockerOf(upgrades), null));

  const ending: readonly [what: string, upgrades: readonly (string | null)[]][] = [
    ["a column without a limit", [base, "CREATE INDEX i ON servers (note)"]],
    [
      "a column of an earlier upgrade",
      [base, "ALTER TABLE servers ADD COLUMN a text", "CREATE INDEX i ON servers (a)"],
    ],
    [
      "a column without a limit since then",
      [base, "ALTER TABLE servers ALTER name TYPE text", "CREATE INDEX i ON servers (name)"],
    ],
    [
      "a column that may have existed",
      [base, "ALTER TABLE servers ADD COLUMN IF NOT EXISTS note text; CREATE INDEX i ON servers (note)"],
    ],
    ["a table that the chain doesn't create", ["CREATE INDEX i ON others (id)"]],
    ["a table after SQL that is not known", [base, null, "CREATE INDEX i ON servers (id)"]],
    [
      "a table after SQL that may have changed it",
      [base, "DO $$ ALTER TABLE servers $$", "CREATE INDEX i ON servers (id)"],
    ],
  ];
  for (const [what, upgrades] of ending) {
    it(`ends: ${what}`, async () => assert.match((await blockerOf(upgrades)) ?? "null", /limited to 2704 bytes: /));
  }
  it("stays open: a table before SQL that a rehearsal made known", async () => {
    const rehearsed = { ...unknown, rehearsed: ["ALTER TABLE servers ADD COLUMN version_id uuid"] };
    const last = "CREATE INDEX i ON servers (version_id, id); CREATE INDEX j ON servers (name)";
    assert.equal(await blockerOf([base, rehearsed, last]), null);
  });
  it("ends with the statement", async () =>
    assert.match((await blockerOf([base, "CREATE INDEX i ON servers (note)"])) ?? "null", limited));
});

describe("the rollback window with SQL of env.py", () => {
  const created = "CREATE TABLE other ()";
  const additive = [
    "SET search_path TO crm",
    "CREATE SCHEMA IF NOT EXISTS crm",
    "SELECT pg_advisory_lock(1)",
    "COMMIT",
  ];
  for (const sql of additive)
    it(`stays open: ${sql}`, async () => assert.equal(await blockerOf([base, created], { sql: [sql] }), null));

  const ending: readonly [env: LockedSql, reason: RegExp][] = [
    [{ sql: ["SET x TO 1", "UPDATE servers SET id = 1"] }, /^SQL of env\.py changes rows of an existing table: UPDATE/],
    [{ sql: ["CREATE TABLE IF NOT EXISTS a (); INSERT INTO a DEFAULT VALUES"] }, /^SQL of env\.py changes rows/],
    [{ sql: ["SELECT prepare_migration()"] }, /^SQL of env\.py is not known to be additive: SELECT prepare/],
    [{ sql: ["NOT SQL"] }, /^SQL of env\.py is rejected by PostgreSQL's parser: NOT SQL/],
    [{ sql: null, reason: "it reads a row" }, /^SQL of env\.py is not known: it reads a row$/],
  ];
  for (const [env, reason] of ending) {
    it(`ends: ${env.sql?.at(-1) ?? "unknown"}`, async () => {
      assert.match((await blockerOf([base, created], env)) ?? "null", reason);
    });
  }
});
