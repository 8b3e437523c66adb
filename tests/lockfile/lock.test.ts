import assert from "node:assert/strict";
import { formatLock } from "../../src/lockfile/format-lock.ts";
import { head, type Lock, lockDigest } from "../../src/lockfile/lock.ts";
import { LockError, parseLock, parseReviewedLock } from "../../src/lockfile/parse-lock.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const lock = linearLock("a", "b");

/** Returns the errors of `lock` after `corrupt` changed its JSON. */
function errorsOf(
  corrupt: (json: Record<string, unknown> & { revisions: Record<string, unknown>[] }) => void,
): readonly string[] {
  const json = JSON.parse(formatLock(lock));
  corrupt(json);
  try {
    parseLock(JSON.stringify(json), "x.json");
  } catch (error) {
    assert.ok(error instanceof LockError);
    return error.errors;
  }
  return [];
}

describe("a lockfile", () => {
  it("is parsed as it was written", () => assert.deepEqual(parseLock(formatLock(lock), "x.json"), lock));

  it("is written with the same text for any order of keys", () => {
    const mixed = { ...lock, revisions: lock.revisions.map(({ id, ...rest }) => ({ ...rest, id })) };
    assert.equal(formatLock(mixed), formatLock(lock));
    assert.ok(formatLock(lock).endsWith("}\n"));
  });

  it("has one head, or is rejected with the commands that fix it", () => {
    assert.equal(head(lock), "b");
    const two = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"] }), lockedRevision("c")]);
    assert.throws(
      () => head(two),
      /2 heads: b, c; only one is allowed\. To merge them, run: npm run unity -- revision --merge/,
    );
    assert.throws(() => head(lockOf([])), /no revisions\. Run: /);
  });

  it("has a digest of ids, down revisions, and their files, but not of SQL", () => {
    const change = (given: Parameters<typeof lockedRevision>[1]) =>
      lockDigest(lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], ...given })]));
    assert.equal(change({ upgrade: { sql: ["SELECT 1;"] }, title: "other" }), lockDigest(lock));
    assert.notEqual(change({ sha256: "0".repeat(64) }), lockDigest(lock));
    assert.notEqual(change({ files: { "a.sql": "0" } }), lockDigest(lock));
    assert.equal(lockDigest({ ...lock, files: {} }), lockDigest(lock));
    assert.notEqual(change({ downRevisions: [] }), lockDigest(lock));
    assert.notEqual(lockDigest(linearLock("a", "c")), lockDigest(lock));
  });

  const faulty: readonly [string, Parameters<typeof errorsOf>[0], readonly string[]][] = [
    ["an unknown version", (json) => (json.version = 5), ["invalid lock.version 5: must be 4"]],
    ["a missing key", (json) => delete json.heads, ["lock.heads is missing: must be a list"]],
    [
      "several errors, all reported",
      ({ revisions: [a, b] }) => {
        Object.assign(a ?? {}, { id: "", sha256: "abc", files: { "a.sql": "abc" }, reversible: "yes" });
        Object.assign(b ?? {}, { upgrade: { sql: null }, tables: { created: [1], altered: [], dropped: [] } });
      },
      [
        'invalid lock.revisions[0].id "": must be one line of printable text, not empty',
        'invalid lock.revisions[0].sha256 "abc": must be 64 hexadecimal digits',
        'invalid lock.revisions[0].files {"a.sql":"abc"}: must be an object of paths with 64 hexadecimal digits each',
        'invalid lock.revisions[0].reversible "yes": must be true, false, or null',
        "invalid lock.revisions[1].tables.created[0] 1: must be a non-empty string",
        "lock.revisions[1].tables.unclassified is missing: must be a list",
        'invalid lock.revisions[1].upgrade {"sql":null}: must be {"sql": [statements]} or {"sql": null, "reason": string}',
      ],
    ],
    [
      "incomplete findings and locks",
      ({ revisions: [a] }) => {
        const findings = [{ rule: "truncate", level: "fatal", statement: -1, message: "x", help: null }];
        Object.assign(a ?? {}, { findings, locks: [{ statement: 0, table: "t", mode: "SHARE", blocks: "nothing" }] });
      },
      [
        'invalid lock.revisions[0].findings[0].level "fatal": must be one of error, warning',
        "invalid lock.revisions[0].findings[0].statement -1: must be an integer from 0 or null",
        'invalid lock.revisions[0].locks[0] {"statement":0,"table":"t","mode":"SHARE","blocks":"nothi...: ' +
          'must be {"statement", "table", "mode", "blocks"}, or with nulls and a "reason"',
      ],
    ],
    ["a gap", (json) => json.revisions.shift(), ["revision b follows unknown revision a"]],
    ["a wrong order", (json) => json.revisions.reverse(), ["revision b precedes a, which it depends on"]],
    ["an edited head", (json) => (json.heads = ["a"]), ['invalid lock.heads ["a"]: must be ["b"]']],
  ];
  for (const [name, corrupt, expected] of faulty) {
    it(`is rejected with ${name}`, () => assert.deepEqual(errorsOf(corrupt), expected));
  }

  it("is rejected with the fix if it isn't JSON, or not an object", () => {
    assert.throws(() => parseLock("{", "x.json"), /invalid lockfile x\.json:\n {2}- not JSON: .*\nRestore the file/s);
    assert.throws(() => parseLock("[]", "x.json"), /invalid lock \[\]: must be an object/);
  });

  it("of an earlier version is rejected with the command that upgrades and accepts it", () => {
    const { files: _, ...older } = lock;
    const revisions = lock.revisions.map(({ findings: _, locks: __, files: ___, ...revision }) => revision);
    const titled = lock.revisions.map((each) => ({ ...each, title: "Add\n a \u001btable" }));
    const earlier = [
      { given: { ...older, version: 1, revisions, alembic: undefined }, accepted: { ...lock, files: {} } },
      { given: { ...lock, version: 3, alembic: undefined }, accepted: lock },
      {
        given: { ...lock, version: 2, revisions: titled },
        accepted: { ...lock, revisions: lock.revisions.map((each) => ({ ...each, title: "Add a \\x1btable" })) },
      },
      { given: { ...lock, version: 3, versionTable: undefined }, accepted: lock },
    ];
    for (const { given, accepted } of earlier) {
      const text = JSON.stringify(given);
      assert.throws(
        () => parseLock(text, "folder/x.json"),
        /lock\.version [123] was written by an earlier release.*\n.*, run: npm run unity -- lock --backend folder$/,
      );
      assert.deepEqual(parseReviewedLock(text, "x.json"), accepted);
    }
    assert.throws(() => parseReviewedLock('{"version": 1}', "x.json"), /invalid lock\.version 1: must be 4/);
  });

  it("is rejected with control characters or commands in what is printed", () => {
    for (const text of [
      "a\u001b[2J",
      "a\u009b2J",
      "a\u202eb",
      "a\nb",
      "::add-mask::a",
      "a ##[group]b",
      "<{%x%}>",
      "\ud800",
    ]) {
      const errors = errorsOf(({ revisions: [a] }) => {
        const sql = { sql: null, reason: `${text}\r` };
        Object.assign(a ?? {}, {
          title: text,
          date: text,
          file: text,
          branchLabels: [text],
          reversibleReason: `${text}\r`,
          upgrade: sql,
        });
      });
      assert.equal(errors.length, 6, JSON.stringify(text));
    }
  });

  it("keeps SQL as it runs, and shows its hidden characters as escapes", () => {
    const upgrade = { sql: ["SELECT 'a\u202e\u0085\n::add-mask::b\t\u001b';"] };
    const hidden = lockOf([lockedRevision("a", { upgrade })]);
    assert.ok(formatLock(hidden).includes("SELECT 'a\\u202e\\u0085\\n::add-mask::b\\t\\u001b';"));
    assert.deepEqual(parseLock(formatLock(hidden), "x.json"), hidden);
  });

  it("preserves findings, locks, and the reasons of unknown locks", () => {
    const finding = { rule: "truncate", level: "error", statement: 0, message: "x", help: null } as const;
    const locks = [
      { statement: 0, table: "t", mode: "SHARE", blocks: "writes" },
      { statement: 1, table: null, mode: null, blocks: null, reason: "a DO block" },
    ] as const;
    const found = lockOf([lockedRevision("a", { findings: [finding], locks })]);
    assert.deepEqual(parseLock(formatLock(found), "x.json"), found);
  });

  it("accepts a revision without SQL, with the reason", () => {
    const given: Partial<Lock["revisions"][number]> = {
      tables: null,
      upgrade: { sql: null, reason: "NeedsDatabase: reads the result of a statement (line 3)" },
      reversible: null,
      reversibleReason: "unknown",
    };
    const unknown = lockOf([lockedRevision("a", given)]);
    assert.deepEqual(parseLock(formatLock(unknown), "x.json"), unknown);
  });
});
