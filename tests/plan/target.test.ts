import assert from "node:assert/strict";
import { beyond, cutAt } from "../../src/plan/target.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const linear = linearLock("a", "b", "c", "d");
/** Two branches that are joined. */
const diamond = lockOf([
  lockedRevision("a"),
  lockedRevision("l", { downRevisions: ["a"] }),
  lockedRevision("r", { downRevisions: ["a"] }),
  lockedRevision("m", { downRevisions: ["l", "r"] }),
]);
const ids = (revisions: readonly { readonly id: string }[]) => revisions.map(({ id }) => id);

describe("cutAt", () => {
  it("leaves a chain that ends at the revision", () => {
    const { heads, bases, revisions } = cutAt(linear, "b");
    assert.deepEqual([heads, bases, ids(revisions)], [["b"], ["a"], ["a", "b"]]);
  });

  it("is the lock itself at its head", () => {
    assert.equal(cutAt(linear, "d"), linear);
  });

  it("leaves the one branch that the revision is on", () => {
    assert.deepEqual(ids(cutAt(diamond, "r").revisions), ["a", "r"]);
  });

  it("names what there is when there is no such revision", () => {
    assert.throws(() => cutAt(linear, "x"), /The target revision x is not in the lock\. Its revisions: a, b, c, d\./);
  });
});

describe("beyond", () => {
  it("is what has to be undone, newest first", () => {
    assert.deepEqual(ids(beyond(linear, ["d"], "b")), ["d", "c"]);
    assert.deepEqual(ids(beyond(diamond, ["m"], "a")), ["m", "r", "l"]);
  });

  it("is nothing at the revision, below it, or where nothing is applied", () => {
    for (const current of [["b"], ["a"], []]) assert.deepEqual(beyond(linear, current, "b"), []);
  });
});
