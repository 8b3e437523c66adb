import assert from "node:assert/strict";
import { compareBranches } from "../../src/lockfile/compare-branches.ts";
import type { Lock, LockedRevision } from "../../src/lockfile/lock.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const ids = (revisions: readonly LockedRevision[] = []) => revisions.map(({ id }) => id);

/** Returns a lockfile with another revision. */
const grown = (lock: Lock, id: string, ...downRevisions: readonly string[]) =>
  lockOf([...lock.revisions, lockedRevision(id, { downRevisions })]);

/** Returns a lockfile with another title of a revision. */
const edited = (lock: Lock, id: string) =>
  lockOf(lock.revisions.map((revision) => (revision.id === id ? { ...revision, title: "Another" } : revision)));

const parted = linearLock("a", "b");

describe("compareBranches", () => {
  it("returns the revisions that the base lacks", () => {
    const { added, rewritten, collision } = compareBranches({
      base: parted,
      mergeBase: parted,
      own: linearLock("a", "b", "c", "d"),
    });
    assert.deepEqual([ids(added), rewritten, collision], [["c", "d"], [], null]);
  });

  it("returns what both add on one revision", () => {
    const own = grown(grown(parted, "c", "b"), "d", "c");
    const { collision } = compareBranches({ base: grown(grown(parted, "x", "b"), "y", "x"), mergeBase: parted, own });
    assert.deepEqual([ids(collision?.incoming), ids(collision?.roots)], [["x", "y"], ["c"]]);
  });

  const without: readonly [what: string, base: Lock, own: Lock][] = [
    ["a branch that only lags behind", grown(parted, "x", "b"), parted],
    ["a branch on top of the base", grown(parted, "x", "b"), grown(grown(parted, "x", "b"), "c", "x")],
    ["a branch with the same revision", grown(parted, "x", "b"), grown(parted, "x", "b")],
    [
      "a merge revision",
      lockOf([...grown(parted, "x", "b").revisions]),
      grown(grown(grown(parted, "x", "b"), "c", "b"), "m", "c", "x"),
    ],
  ];
  for (const [what, base, own] of without) {
    it(`finds no collision of ${what}`, () => {
      const { rewritten, collision } = compareBranches({ base, mergeBase: parted, own });
      assert.deepEqual([rewritten, collision], [[], null]);
    });
  }

  const kinds = (branches: { base: Lock; mergeBase: Lock | null; own: Lock }) =>
    compareBranches(branches).rewritten.map(({ kind, revisions }) => `${kind} ${revisions}`);

  it("returns revisions that the branch has changed or removed", () => {
    assert.deepEqual(kinds({ base: parted, mergeBase: parted, own: edited(parted, "b") }), ["changed b"]);
    assert.deepEqual(kinds({ base: parted, mergeBase: parted, own: linearLock("a") }), ["removed b"]);
    assert.deepEqual(kinds({ base: parted, mergeBase: null, own: linearLock("a") }), ["removed b"]);
  });

  it("doesn't count what only the base has changed or removed since", () => {
    assert.deepEqual(kinds({ base: edited(parted, "b"), mergeBase: parted, own: parted }), []);
    assert.deepEqual(kinds({ base: linearLock("a"), mergeBase: parted, own: parted }), []);
    assert.deepEqual(ids(compareBranches({ base: linearLock("a"), mergeBase: parted, own: parted }).added), []);
  });

  it("returns a revision that both add with other content", () => {
    const own = edited(grown(parted, "x", "b"), "x");
    assert.deepEqual(kinds({ base: grown(parted, "x", "b"), mergeBase: parted, own }), ["changed x"]);
  });

  it("counts derived fields as no change", () => {
    const own = lockOf(parted.revisions.map((revision) => ({ ...revision, rollbackBlocker: "changes rows" })));
    assert.deepEqual(kinds({ base: parted, mergeBase: parted, own }), []);
  });
});
