import assert from "node:assert/strict";
import { applyChanges, compareSchemas } from "../../src/lockfile/database-schema/changes.ts";
import { type DatabaseSchema, emptySchema } from "../../src/lockfile/database-schema/database-schema.ts";
import { type LockedEffects, packChanges, unpackChanges } from "../../src/lockfile/evidence.ts";
import { formatLock } from "../../src/lockfile/format-lock.ts";
import type { Lock } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { evidenceOf, rehearsalDigest, rehearsedSchema, staleEvidence } from "../../src/lockfile/rehearsal.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

const users: DatabaseSchema["tables"][string] = {
  kind: "table",
  columns: { id: { type: "bigint", notNull: true }, name: { type: "text" } },
  grants: { reader: ["SELECT"] },
};
const before: DatabaseSchema = { ...emptySchema, schemas: { public: {} } };
const after: DatabaseSchema = {
  ...before,
  enums: { "public.mood": { labels: ["a"] } },
  tables: { "public.users": users },
};

describe("packed changes", () => {
  it("are a line for each object and each of its parts", () => {
    assert.deepEqual(packChanges(compareSchemas(before, after)), [
      ["+", "enums", "public.mood", { labels: ["a"] }],
      ["+", "tables", "public.users", { kind: "table" }],
      ["+", "tables", "public.users", "columns", "id", { type: "bigint", notNull: true }],
      ["+", "tables", "public.users", "columns", "name", { type: "text" }],
      ["+", "tables", "public.users", "grants", "reader", ["SELECT"]],
    ]);
  });

  it("lead to the same schema", () => {
    const next: DatabaseSchema = {
      ...before,
      tables: { "public.users": { ...users, comment: "x", columns: { id: { type: "integer" } } } },
    };
    for (const [from, to] of [
      [before, after],
      [after, next],
      [next, before],
    ] as const) {
      const packed = JSON.parse(JSON.stringify(packChanges(compareSchemas(from, to))));
      assert.deepEqual(applyChanges(from, unpackChanges(packed)), to);
    }
  });
});

describe("evidence in a lockfile", () => {
  const changes = packChanges(compareSchemas(before, after));
  const effects: LockedEffects = { locks: [[0, "public.a", "SHARE"]], changes, downgrade: "complete" };
  const bare = linearLock("a", "b");
  const withRehearsal = (lock: Lock): Lock => ({
    ...lock,
    rehearsal: { chain: rehearsalDigest(lock, "15"), postgres: "15", env: ["DB={host}"], models: null },
  });
  const lock = withRehearsal({
    ...bare,
    revisions: bare.revisions.map((revision, index) => ({
      ...revision,
      ...(index === 0 && { upgrade: { sql: null, reason: "asks", rehearsed: ["SELECT 1;"] }, tables: null }),
      rehearsed: index === 0 ? effects : { locks: [], changes: [], downgrade: "failed", error: "no" },
    })),
  });

  it("has a line for each change and each lock, and is read again", () => {
    const text = formatLock(lock);
    assert.ok(text.includes('\n          [ 0, "public.a", "SHARE" ]\n'), text);
    assert.ok(text.includes('\n          [ "+", "tables", "public.users", "columns", "name", { "type": "text" } ],\n'));
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(lock)));
  });

  it("is rejected in another form", () => {
    const parse = (rehearsed: unknown) => {
      const revisions = lock.revisions.map((revision) => ({ ...revision, rehearsed }));
      return () => parseLock(JSON.stringify({ ...lock, revisions }), "x.json");
    };
    assert.doesNotThrow(parse(effects));
    assert.throws(
      parse({ ...effects, locks: [[0, "a", "BIG"]] }),
      /invalid lock\.revisions\[0\]\.rehearsed\.locks\[0\]/,
    );
    assert.throws(parse({ ...effects, changes: [["+", "chairs", "a", {}]] }), /rehearsed\.changes\[0\]/);
    assert.throws(parse({ ...effects, downgrade: "maybe" }), /must be one of complete, incomplete, failed/);
  });

  it("is stale once a file, env.py, or a revision differs", () => {
    assert.equal(staleEvidence(lock), null);
    assert.equal(staleEvidence(bare), null);
    assert.match(staleEvidence({ ...lock, files: { "env.py": "0".repeat(64) } }) ?? "", /env\.py, a module/);
    const [first, second] = lock.revisions;
    assert.ok(first && second);
    const { rehearsed: _, ...added } = { ...second, id: "new" };
    assert.equal(staleEvidence({ ...lock, revisions: [...lock.revisions, added] }), "not rehearsed: new");
    assert.notEqual(rehearsalDigest(lock, "16"), rehearsalDigest(lock, "15"));
  });

  it("is kept for the revisions whose files are the same", () => {
    const [first, second] = lock.revisions;
    assert.ok(first && second);
    assert.deepEqual(evidenceOf(lock)(first).upgrade, ["SELECT 1;"]);
    assert.equal(evidenceOf(lock)({ ...second, sha256: "0".repeat(64) }).rehearsed, undefined);
  });

  it("contains the schema of each set of revisions", () => {
    const id = lock.revisions[0]?.id;
    assert.deepEqual(
      rehearsedSchema(lock, () => false),
      before,
    );
    assert.deepEqual(
      rehearsedSchema(lock, (each) => each === id),
      after,
    );
    assert.equal(
      rehearsedSchema(bare, () => true),
      null,
    );
  });
});
