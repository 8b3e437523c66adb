import assert from "node:assert/strict";
import { drawPicture } from "../../src/cli/chain/picture.ts";
import { readSchema } from "../../src/cli/chain/schema.ts";
import { viewChain } from "../../src/cli/chain/view.ts";
import { classify } from "../../src/plan/live-state.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";
import { databaseAt } from "../support/fake-kubectl.ts";
import { unity, unityWith } from "./unity.ts";

const link = (id: string, ...downRevisions: readonly string[]) => lockedRevision(id, { downRevisions, tables: null });
const branched = lockOf([link("a"), link("b", "a"), link("c", "a"), link("d", "b", "c")]);
const viewAt = (lock: typeof branched, rows: readonly string[] | null, toleratedRevisions: readonly string[] = []) => {
  const reading = { kind: "rows", rows } as const;
  return viewChain(lock, { reading, state: classify(reading, lock, { toleratedRevisions }) });
};
/** Returns the picture without the lines on tables. */
const pictured = (...args: Parameters<typeof drawPicture>) =>
  drawPicture(...args).filter((line) => !line.includes("tables unknown"));

describe("the chain's picture", () => {
  it("is a list with a marked head for a linear chain", () => {
    const lock = lockOf([lockedRevision("one", { date: "2026-01-03 19:01:48" }), link("two", "one")]);
    assert.deepEqual(drawPicture(viewChain(lock)), [
      "*  1  one  Revision one  2026-01-03",
      "|      creates t_one",
      "|",
      "*  2  two  Revision two    <== latest",
      "       tables unknown",
    ]);
  });

  it("forks and joins with the chain's branches", () => {
    assert.deepEqual(pictured(viewChain(branched)), [
      "*    1  a  Revision a",
      "+-.",
      "| |",
      "* |  2  b  Revision b",
      "| |",
      "| *  3  c  Revision c",
      "| |",
      "+-'",
      "*    4  d  Revision d    <== latest",
    ]);
  });

  it("crosses lanes, and reuses a closed one", () => {
    const lock = lockOf([
      ...[link("a"), link("b", "a"), link("c", "a"), link("d", "a")],
      ...[link("e", "b", "d"), link("f", "e"), link("g", "e")],
    ]);
    assert.deepEqual(
      pictured(viewChain(lock)).filter((line) => line.includes("+")),
      ["+-.", "+-|-.", "+---'", "+-."],
    );
    const heads = pictured(viewChain(lock)).filter((line) => line.includes("latest"));
    assert.deepEqual(
      heads.map((line) => /\d {2}(\w)/.exec(line)?.[1]),
      ["c", "f", "g"],
    );
  });

  it("shows dependencies and revisions that can't be undone", () => {
    const lock = lockOf([link("a"), lockedRevision("b", { dependsOn: ["a"], reversible: false })]);
    assert.deepEqual(
      drawPicture(viewChain(lock))
        .slice(-3)
        .map((line) => line.trim()),
      ["creates t_b", "depends on a", "can't be undone"],
    );
  });

  it("marks applied, pending, and current revisions", () => {
    assert.deepEqual(
      pictured(viewAt(branched, ["b"])).filter((line) => /[*o]/.test(line)),
      [
        "*    1  a  Revision a",
        "* |  2  b  Revision b    <== current",
        "| o  3  c  Revision c",
        "o    4  d  Revision d    <== latest",
        "* applied   o pending",
      ],
    );
  });
});

describe("the chain against a database", () => {
  const status = (...args: Parameters<typeof viewAt>) => viewAt(...args).map((revision) => revision.status);
  it("has all revisions pending before the first migration, and none at head", () => {
    assert.deepEqual(new Set(status(branched, null)), new Set(["pending"]));
    assert.deepEqual(new Set(status(branched, ["d"])), new Set(["applied"]));
  });
  it("has no status at an unknown revision, unless the stack tolerates it", () => {
    assert.deepEqual(new Set(status(branched, ["zz"])), new Set([null]));
    assert.deepEqual(new Set(status(branched, ["zz"], ["zz"])), new Set(["applied"]));
  });
});

describe("the schema's overview", () => {
  const upgrading = (id: string, down: readonly string[], sql: readonly string[], tables = {}) =>
    lockedRevision(id, {
      downRevisions: down,
      upgrade: { sql },
      tables: { created: [], altered: [], dropped: [], unclassified: [], ...tables },
    });
  it("follows columns, foreign keys, and indexes through the chain", async () => {
    const create = [
      "CREATE TABLE a (id int8 PRIMARY KEY, old text)",
      "CREATE TABLE b (id int8, a_id int8 REFERENCES a (id), gone int8 REFERENCES a)",
      "CREATE INDEX ix ON b (a_id)",
      "CREATE INDEX iy ON b (gone)",
    ];
    const change = [
      "ALTER TABLE a RENAME old TO new",
      "ALTER TABLE b ADD COLUMN added text",
      "ALTER TABLE b DROP COLUMN gone",
      "DROP INDEX iy",
      "DROP TABLE c",
    ];
    const lock = lockOf([
      upgrading("1", [], [...create, "CREATE TABLE c ()"], { created: ["a", "b", "c"] }),
      upgrading("2", ["1"], change, { altered: ["a", "b"], dropped: ["c"] }),
    ]);
    assert.deepEqual(await readSchema(lock), [
      { name: "a", createdBy: "1", columns: ["id", "new"], references: [], indexes: 0 },
      {
        name: "b",
        createdBy: "1",
        columns: ["id", "a_id", "added"],
        references: [{ columns: ["a_id"], table: "a" }],
        indexes: 1,
      },
    ]);
  });
});

describe("pulumi-alembic chain", () => {
  it("shows the project's chain, tables, and expected output without a cluster", async () => {
    const silent = { list: "silence", backend: "silence", postgres: "silence" } as const;
    const { code, stdout } = await unityWith(silent, "chain");
    assert.equal(code, 0);
    assert.match(stdout, /^Chain: 8 revisions, 17 tables; latest: add_plugin_execution$/m);
    assert.match(stdout, /^\* {2}8 {2}add_plugin_execution {2}Plugin Execution {10}2026-01-03 {2}<== latest$/m);
    assert.match(stdout, /^8 {2}plugin_metrics {9}id, plugin_id -> plugins, timestamp, name, value \[2 indexes\]$/m);
    assert.match(stdout, /-- alembic current\n {2}add_plugin_execution \(head\)$/m);
  });

  it("marks the revisions of a context's database", async () => {
    const answers = { postgres: databaseAt(["a1b2c3d4e5f6"]) };
    const { code, stdout } = await unityWith(answers, "chain", "--context", "here");
    assert.equal(code, 0);
    assert.match(stdout, /^Database is at a1b2c3d4e5f6, behind head add_plugin_execution\.$/m);
    assert.match(stdout, /^\* {2}7 .*<== current$/m);
    assert.match(stdout, /^o {2}8 .*<== latest$/m);
  });

  it("shows the chain and exits with 2 if the database is unavailable", async () => {
    const answers = { list: { error: "refused" } };
    const { code, stdout } = await unityWith(answers, "chain", "--context", "here");
    assert.equal(code, 2);
    assert.match(
      stdout,
      /Can't connect to the cluster \(context here\): refused[\s\S]*\* {2}8 {2}add_plugin_execution/,
    );
  });

  it("prints JSON", async () => {
    const { heads, revisions, tables } = JSON.parse((await unity("chain", "--json")).stdout);
    assert.deepEqual([heads, revisions.length, tables.length], [["add_plugin_execution"], 8, 17]);
    assert.deepEqual(revisions[7].downRevisions, ["a1b2c3d4e5f6"]);
  });
});
