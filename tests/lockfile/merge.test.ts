import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatLock } from "../../src/lockfile/format-lock.ts";
import type { Lock, LockedRevision } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestRepository } from "../support/repository.ts";

/** Adds a revision to a lockfile. */
const add = (lock: Lock, id: string, downRevisions: readonly string[], more: Partial<LockedRevision> = {}) =>
  lockOf([...lock.revisions, lockedRevision(id, { downRevisions, ...more })]);

const one = linearLock("a", "b", "m");
const long = linearLock(...Array.from({ length: 60 }, (_, index) => `h${index + 100}`));
const two = add(add(one, "x", ["m"]), "y", ["m"]);
const five = ["d", "e", "f", "g", "h"].reduce((lock, id) => add(lock, id, ["m"]), one);
const longSql = { upgrade: { sql: Array.from({ length: 200 }, (_, index) => `SELECT ${index};`) } };

/** Merges the lockfiles of two branches in git; returns the result, `undefined` if they conflict. */
function merge(base: Lock, ours: Lock, theirs: Lock): Lock | undefined {
  using folder = temporaryFolder();
  const repository = new TestRepository(folder.path);
  const file = join(folder.path, "migrations.lock.json");
  const commit = (lock: Lock) => {
    writeFileSync(file, formatLock(lock));
    repository.commit("Change");
  };
  commit(base);
  repository.branch("theirs");
  commit(theirs);
  repository.branch("ours", "main");
  commit(ours);
  const { status } = repository.try("merge", "--no-edit", "theirs");
  return status === 0 ? parseLock(readFileSync(file, "utf8"), file) : undefined;
}

describe("two lockfiles merged by git", () => {
  const conflicts: readonly [what: string, base: Lock, ours: Lock, theirs: Lock][] = [
    ["revisions that sort after the head", one, add(one, "p", ["m"]), add(one, "q", ["m"])],
    ["revisions that sort before the head", one, add(one, "c", ["m"]), add(one, "d", ["m"])],
    ["revisions around the head", one, add(one, "c", ["m"]), add(one, "q", ["m"])],
    ["one on an older revision, before the head", one, add(one, "p", ["m"]), add(one, "c", ["b"])],
    ["one on an older revision, after the head", one, add(one, "p", ["m"]), add(one, "z", ["b"])],
    ["both on older revisions", one, add(one, "c", ["a"]), add(one, "z", ["b"])],
    ["a second base", one, add(one, "c", []), add(one, "z", ["m"])],
    ["two other bases", one, add(one, "0", []), add(one, "z", [])],
    ["the first revision", lockOf([]), add(lockOf([]), "p", []), add(lockOf([]), "q", [])],
    ["revisions of a long chain", long, add(long, "p", ["h159"]), add(long, "q", ["h159"])],
    ["three revisions and one", one, add(add(add(one, "p", ["m"]), "p1", ["p"]), "p2", ["p1"]), add(one, "q", ["m"])],
    ["a dependency", one, add(one, "p", ["m"], { dependsOn: ["a"] }), add(one, "q", ["m"])],
    ["much SQL and little", one, add(one, "p", ["m"], longSql), add(one, "q", ["m"])],
    ["one ID with other content", one, add(one, "p", ["m"]), add(one, "p", ["m"], { title: "Another" })],
    ["a revision on top of the other's", one, add(one, "p", ["m"]), add(add(one, "p", ["m"]), "q", ["p"])],
    ["two merges of the heads", two, add(two, "p", ["x", "y"]), add(two, "q", ["x", "y"])],
    ["a merge of the heads and a revision", two, add(two, "p", ["x", "y"]), add(two, "q", ["x"])],
    ["revisions on two heads", two, add(two, "x1", ["x"]), add(two, "y1", ["y"])],
  ];
  for (const [what, base, ours, theirs] of conflicts) {
    it(`conflict if both add to the chain: ${what}`, () => assert.equal(merge(base, ours, theirs), undefined));
  }

  it("merge if both add the same revision", () => {
    assert.deepEqual(merge(one, add(one, "p", ["m"]), add(one, "p", ["m"]))?.heads, ["p"]);
  });

  it("merge only with several heads if neighboring lines keep them apart", () => {
    assert.deepEqual(merge(five, add(five, "c", ["b"]), add(five, "z", ["b"]))?.heads.length, 7);
    assert.deepEqual(merge(five, add(five, "d1", ["d"]), add(five, "h1", ["h"]))?.heads.length, 5);
  });
});
