import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Relations } from "../../src/cli/lock/sql/relations.ts";
import { effectOf } from "../../src/cli/lock/sql/statements.ts";
import { openParser } from "../../src/lockfile/sql-parser.ts";
import { type LockMode, lockModes, stronger } from "../../src/lockfile/statement-lock.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { shortTitle } from "../support/titles.ts";
import { alone, inTransaction, setup } from "./statement-forms.ts";
import { alembicPython } from "./unity.ts";

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
  const args = name
    .replace(/Lock$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();
  const mode = lockModes.find((known) => known === args);
  assert.ok(mode, name);
  return mode;
}

describe("locks of statements, compared with PostgreSQL's own", () => {
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
      assert.ok(!("error" in parsed), sql);
      return parsed;
    };
    const relations = new Relations();
    for (const sql of setup) for (const node of nodes(sql)) relations.note(node);
    relations.note(nodes("CREATE INDEX ix_new ON parent (n)")[0] as never);
    effect = (sql) => effectOf(nodes(sql)[0] as never, relations);
  });
  after(() => postgres?.stop());

  for (const sql of inTransaction) {
    it(shortTitle(sql), () => {
      const { locks, unknown } = effect(sql);
      const { line_1, ...others } = taken.get(sql) ?? {};
      const expected = line_1 !== undefined && sql.includes("line_1") ? { ...others, line_1 } : others;
      assert.deepEqual([strongest(locks), unknown], [expected, undefined]); // a table represents its partitions
    });
  }

  for (const [sql, table] of alone) {
    it(shortTitle(`on ${table}: ${sql}`), () => {
      assert.ok(taken.get(sql)?.[table]);
      assert.equal(strongest(effect(sql).locks)[table], taken.get(sql)?.[table]);
    });
  }

  const unknownLocks: readonly [sql: string, reason: RegExp][] = [
    ["DO 'BEGIN END'", /runs code in a DO block/],
    ["CALL p()", /procedure/],
    ["SELECT create_hypertable('parent', 'at')", /calls create_hypertable\(\), which may lock any table/],
    ["DROP INDEX ix_of_no_one", /index ix_of_no_one, which no earlier statement creates/],
    ["DROP FUNCTION touch() CASCADE", /drops all dependent objects by CASCADE/],
    ["DROP SCHEMA apart CASCADE", /drops all dependent objects by CASCADE/],
    ["ALTER DOMAIN d ADD CHECK (VALUE > 0)", /each table with a column of the domain/],
    ["VACUUM", /every table/],
    ["REINDEX DATABASE postgres", /many tables/],
    ["IMPORT FOREIGN SCHEMA s FROM SERVER t INTO u", /ImportForeignSchema/],
  ];
  for (const [sql, reason] of unknownLocks) {
    it(shortTitle(`unknown, with the reason: ${sql}`), () => {
      assert.match(effect(sql).unknown ?? "", reason);
      assert.deepEqual(effect(sql).locks, []);
    });
  }
});
