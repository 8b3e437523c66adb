import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { annotate } from "../../src/cli/lock/annotate.ts";
import { lockedRevision } from "../fixtures/chains/locks.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { shortTitle } from "../support/titles.ts";
import { alembicPython } from "./unity.ts";

const setup = [
  "CREATE TABLE t (id bigint, at date) PARTITION BY RANGE (at)",
  "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
  "CREATE TABLE u (id bigint PRIMARY KEY, name text)",
  "CREATE INDEX i ON u (name)",
  "CREATE TYPE mood AS ENUM ('good')",
  "CREATE TABLE moods (mood mood)",
  "CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'",
  "CREATE PROCEDURE stays() LANGUAGE plpgsql AS 'BEGIN NULL; END'",
];

const rejected = "not-in-transaction error";
const concurrentIndex = "ban-concurrent-index-creation-in-transaction error";

/** Statements of one transaction that PostgreSQL rejects, and the finding on the last one. */
const failing: readonly [sql: readonly string[], finding: string][] = [
  [["VACUUM u"], rejected],
  [["VACUUM (ANALYZE) u"], rejected],
  [["CREATE DATABASE d"], rejected],
  [["DROP DATABASE template1"], rejected],
  [["ALTER DATABASE postgres SET TABLESPACE pg_default"], rejected],
  [["ALTER SYSTEM SET work_mem = '8MB'"], rejected],
  [["CREATE TABLESPACE s LOCATION '/tmp'"], rejected],
  [["DROP TABLESPACE pg_default"], rejected],
  [["CREATE INDEX CONCURRENTLY ON u (name)"], concurrentIndex],
  [["DROP INDEX CONCURRENTLY i"], rejected],
  [["REINDEX INDEX CONCURRENTLY i"], rejected],
  [["REINDEX TABLE CONCURRENTLY u"], rejected],
  [["REINDEX SCHEMA public"], rejected],
  [["CLUSTER"], rejected],
  [["ALTER TABLE t DETACH PARTITION t_1 CONCURRENTLY"], rejected],
  [["DISCARD ALL"], rejected],
  [["CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p"], rejected],
  [["ALTER TYPE mood ADD VALUE 'bad'", "INSERT INTO moods VALUES ('bad')"], "new-enum-value error"],
  [["ALTER TYPE mood ADD VALUE 'bad'", "ALTER TABLE moods ALTER mood SET DEFAULT 'bad'"], "new-enum-value error"],
  [["CREATE TYPE own AS ENUM ('a')", "ALTER TYPE own ADD VALUE 'b'", "SELECT 'b'::own"], "new-enum-value error"],
  [["CALL commits()"], "procedure-call warning"],
];

/** Statements of one transaction that PostgreSQL accepts; only a procedure has a finding. */
const passing: readonly (readonly string[])[] = [
  ["ANALYZE u"],
  ["REINDEX INDEX i"],
  ["REINDEX TABLE u"],
  ["CLUSTER u USING i"],
  ["ALTER DATABASE postgres SET work_mem = '8MB'"],
  ["DISCARD PLANS"],
  ["CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)"],
  ["ALTER TYPE mood ADD VALUE 'bad'", "INSERT INTO moods VALUES ('good')"],
  ["ALTER TYPE mood RENAME VALUE 'good' TO 'fine'", "INSERT INTO moods VALUES ('fine')"],
  ["CALL stays()"],
];

/** Statements of TimescaleDB, which this PostgreSQL doesn't have. */
const timescale: readonly [sql: string, finding: string | undefined][] = [
  ["CREATE MATERIALIZED VIEW v WITH (timescaledb.continuous) AS SELECT 1", rejected],
  ["CREATE MATERIALIZED VIEW v WITH (timescaledb.continuous) AS SELECT 1 WITH NO DATA", undefined],
  ["CREATE MATERIALIZED VIEW v WITH (timescaledb.continuous = false) AS SELECT 1", undefined],
  ["CREATE MATERIALIZED VIEW v WITH (fillfactor = 70) AS SELECT 1", undefined],
  ["CALL refresh_continuous_aggregate('v', NULL, NULL)", rejected],
  ["CALL public.refresh_continuous_aggregate('v', NULL, NULL)", rejected],
];

/** Runs statements in one transaction each time, and prints the SQLSTATE of the last one, or null. */
const runs = `
import json, sys, psycopg
request = json.load(sys.stdin)
with psycopg.connect(request["url"], autocommit=True) as connection:
    for statement in request["setup"]:
        connection.execute(statement)
states = []
for *before, last in request["transactions"]:
    with psycopg.connect(request["url"]) as connection:
        for statement in before:
            connection.execute(statement)
        try:
            connection.execute(last)
            states.append(None)
        except psycopg.Error as error:
            states.append(error.sqlstate)
        connection.rollback()
print(json.dumps(states))
`;

/** SQLSTATEs: in a transaction; an enum value that is not committed; a transaction that ends in a procedure. */
const states: Readonly<Record<string, string>> = { "new-enum-value error": "55P04", "procedure-call warning": "2D000" };

/** Returns the findings of the rules on transactions on the last statement of each upgrade. */
async function findingsOf(upgrades: readonly (readonly string[])[]): Promise<string[][]> {
  const first = lockedRevision("setup", { upgrade: { sql: setup } });
  const others = upgrades.map((sql, index) => lockedRevision(`r${index}`, { upgrade: { sql } }));
  const [, ...annotated] = await annotate(
    { env: { sql: [] }, revisions: [first, ...others], maxIdLength: null },
    () => {},
  );
  return annotated.map(({ findings }, index) =>
    findings
      .filter(({ statement }) => statement === (upgrades[index]?.length ?? 0) - 1)
      .filter(({ rule }) => /transaction|enum|procedure/.test(rule))
      .map(({ rule, level }) => `${rule} ${level}`),
  );
}

describe("findings on statements in a transaction, compared with PostgreSQL's own", () => {
  const transactions = [...failing.map(([sql]) => sql), ...passing];
  let postgres: Postgres;
  let found: (string | null)[] = [];
  let findings: string[][] = [];
  before(async () => {
    const upgrades = [...transactions, ...timescale.map(([sql]) => [sql])];
    const [started, python, annotated] = await Promise.all([startPostgres(), alembicPython(), findingsOf(upgrades)]);
    postgres = started;
    findings = annotated;
    const input = JSON.stringify({ url: postgres.url, setup, transactions });
    const { status, stdout, stderr } = spawnSync(python, ["-c", runs], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    found = JSON.parse(stdout);
  });
  after(() => postgres?.stop());

  for (const [index, [sql, finding]] of failing.entries()) {
    it(shortTitle(`rejected: ${sql.join("; ")}`), () => {
      assert.equal(found[index], states[finding] ?? "25001");
      assert.deepEqual(findings[index], [finding]);
    });
  }

  for (const [index, sql] of passing.entries()) {
    it(shortTitle(`accepted: ${sql.join("; ")}`), () => {
      assert.equal(found[failing.length + index], null);
      const expected = sql[0] === "CALL stays()" ? ["procedure-call warning"] : [];
      assert.deepEqual(findings[failing.length + index], expected);
    });
  }

  for (const [index, [sql, finding]] of timescale.entries()) {
    it(shortTitle(`TimescaleDB: ${sql}`), () => {
      assert.deepEqual(findings[transactions.length + index], finding === undefined ? [] : [finding]);
    });
  }

  it("are absent outside of the transaction", async () => {
    const statements = [...failing.flatMap(([sql]) => sql), ...timescale.map(([sql]) => sql)];
    const found = await findingsOf([
      ...statements.map((sql) => ["COMMIT", sql]),
      ["ALTER TYPE mood ADD VALUE 'b'", "COMMIT", "BEGIN", "SELECT 'b'"],
      ["COMMIT", "VACUUM u", "BEGIN", "VACUUM u"],
    ]);
    assert.deepEqual(found, [...statements.map(() => []), [], [rejected]]);
  });
});
