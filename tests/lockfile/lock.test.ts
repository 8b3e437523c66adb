import assert from "node:assert/strict";
import { chainTables, formatLock, head, type Lock, lockDigest } from "../../src/lockfile/lock.ts";
import { LockError, parseLock, parseReviewedLock } from "../../src/lockfile/parse-lock.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const lock = linearLock("a", "b");

/** @returns The faults of `lock` after `spoil` had its way with its JSON. */
function faultsOf(
  spoil: (json: Record<string, unknown> & { revisions: Record<string, unknown>[] }) => void,
): readonly string[] {
  const json = JSON.parse(formatLock(lock));
  spoil(json);
  try {
    parseLock(JSON.stringify(json), "x.json");
  } catch (error) {
    assert.ok(error instanceof LockError);
    return error.errors;
  }
  return [];
}

describe("lock", () => {
  it("reads back what it writes", () => assert.deepEqual(parseLock(formatLock(lock), "x.json"), lock));

  it("is written in one way, whatever the order of keys", () => {
    const mixed = { ...lock, revisions: lock.revisions.map(({ id, ...rest }) => ({ ...rest, id })) };
    assert.equal(formatLock(mixed), formatLock(lock));
    assert.ok(formatLock(lock).endsWith("}\n"));
  });

  it("has one head, or says what to do", () => {
    assert.equal(head(lock), "b");
    const two = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"] }), lockedRevision("c")]);
    assert.throws(() => head(two), /2 heads: b, c\. One is allowed: join them with `npm run unity -- revision --merge/);
    assert.throws(() => head(lockOf([])), /no revision/);
  });

  it("counts the tables that are there at the head", () => {
    const tables = { created: ["n"], altered: [], dropped: ["t_a"], unclassified: [] };
    const renamed = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], tables })]);
    assert.deepEqual(chainTables(renamed), ["n"]);
    const unknown = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], tables: null })]);
    assert.deepEqual(chainTables(unknown), ["t_a"]);
  });

  it("has a digest of ids, down revisions and files, not of the rendered SQL", () => {
    const change = (given: Parameters<typeof lockedRevision>[1]) =>
      lockDigest(lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], ...given })]));
    assert.equal(change({ upgrade: { sql: ["SELECT 1;"] }, title: "other" }), lockDigest(lock));
    assert.notEqual(change({ sha256: "0".repeat(64) }), lockDigest(lock));
    assert.notEqual(change({ downRevisions: [] }), lockDigest(lock));
    assert.notEqual(lockDigest(linearLock("a", "c")), lockDigest(lock));
  });

  const faulty: readonly [string, Parameters<typeof faultsOf>[0], readonly string[]][] = [
    ["another version", (json) => (json.version = 3), ["lock.version is 3: it must be 2"]],
    ["a missing key", (json) => delete json.heads, ["lock.heads is missing: it must be a list"]],
    [
      "every fault at once",
      ({ revisions: [a, b] }) => {
        Object.assign(a ?? {}, { id: "", sha256: "abc", reversible: "yes" });
        Object.assign(b ?? {}, { upgrade: { sql: null }, tables: { created: [1], altered: [], dropped: [] } });
      },
      [
        'lock.revisions[0].id is "": it must be a text that is not empty',
        'lock.revisions[0].sha256 is "abc": it must be 64 hexadecimal digits',
        'lock.revisions[0].reversible is "yes": it must be true, false or null',
        "lock.revisions[1].tables.created[0] is 1: it must be a text that is not empty",
        "lock.revisions[1].tables.unclassified is missing: it must be a list",
        'lock.revisions[1].upgrade is {"sql":null}: it must be {"sql": [statements]} or {"sql": null, "reason": text}',
      ],
    ],
    [
      "findings and locks that say too little",
      ({ revisions: [a] }) => {
        const findings = [{ rule: "truncate", level: "fatal", statement: -1, message: "x", help: null }];
        Object.assign(a ?? {}, { findings, locks: [{ statement: 0, table: "t", mode: "SHARE", blocks: "nothing" }] });
      },
      [
        'lock.revisions[0].findings[0].level is "fatal": it must be one of error, warning',
        "lock.revisions[0].findings[0].statement is -1: it must be an integer from 0 or null",
        'lock.revisions[0].locks[0] is {"statement":0,"table":"t","mode":"SHARE","blocks":"nothi...: ' +
          'it must be {"statement", "table", "mode", "blocks"}, or with nulls and a "reason"',
      ],
    ],
    ["a gap", (json) => json.revisions.shift(), ["revision b comes after a, which is not in the chain"]],
    ["a wrong order", (json) => json.revisions.reverse(), ["revision b stands before a, which it needs"]],
    ["a head by hand", (json) => (json.heads = ["a"]), ['lock.heads is ["a"]: the revisions say ["b"]']],
  ];
  for (const [name, spoil, expected] of faulty) {
    it(`is refused with ${name}`, () => assert.deepEqual(faultsOf(spoil), expected));
  }

  it("is refused with the way to mend it when it is no JSON, or not an object", () => {
    assert.throws(
      () => parseLock("{", "x.json"),
      /x\.json is not a valid lock:\n {2}- not JSON: .*\nRestore the file/s,
    );
    assert.throws(() => parseLock("[]", "x.json"), /lock is \[\]: it must be an object/);
  });

  it("of the first format says which command adds what it lacks; that command reads it", () => {
    const revisions = lock.revisions.map(({ findings: _, locks: __, ...revision }) => revision);
    const first = JSON.stringify({ ...lock, version: 1, revisions });
    assert.throws(
      () => parseLock(first, "x.json"),
      /lock\.version is 1, which an earlier release wrote.*\nRun `npm run unity -- lock`/,
    );
    assert.deepEqual(parseReviewedLock(first, "x.json"), lock);
    assert.throws(() => parseReviewedLock('{"version": 1}', "x.json"), /lock\.version is 1: it must be 2/);
  });

  it("keeps findings, locks and what is not known of them", () => {
    const finding = { rule: "truncate", level: "error", statement: 0, message: "x", help: null } as const;
    const locks = [
      { statement: 0, table: "t", mode: "SHARE", blocks: "writes" },
      { statement: 1, table: null, mode: null, blocks: null, reason: "a DO block" },
    ] as const;
    const found = lockOf([lockedRevision("a", { findings: [finding], locks })]);
    assert.deepEqual(parseLock(formatLock(found), "x.json"), found);
  });

  it("accepts a revision that can't be rendered, with its reason", () => {
    const given: Partial<Lock["revisions"][number]> = {
      tables: null,
      upgrade: { sql: null, reason: "NeedsDatabase: it reads the result of a statement (line 3)" },
      reversible: null,
      reversibleReason: "unknown",
    };
    const unknown = lockOf([lockedRevision("a", given)]);
    assert.deepEqual(parseLock(formatLock(unknown), "x.json"), unknown);
  });
});
