import assert from "node:assert/strict";
import {
  applied,
  beyond,
  type ChainLink,
  chainBases,
  chainErrors,
  chainHeads,
  chainOrder,
  chainTables,
  cutAt,
  pending,
} from "../../src/lockfile/chain.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

function link(id: string, downRevisions: readonly string[] = [], dependsOn: readonly string[] = []): ChainLink {
  return { id, downRevisions, dependsOn };
}

/** a - b1 - b2 - m, a - c1 - m, and c1 depends on b1. */
const diamond = [link("m", ["b2", "c1"]), link("c1", ["a"], ["b1"]), link("b2", ["b1"]), link("b1", ["a"]), link("a")];

describe("chain", () => {
  it("orders each revision after its predecessors, in any given order", () => {
    for (const links of [diamond, [...diamond].reverse()]) {
      assert.deepEqual(
        chainOrder(links).map(({ id }) => id),
        ["a", "b1", "b2", "c1", "m"],
      );
    }
  });

  it("finds heads and bases as Alembic does, where depends_on doesn't end a head", () => {
    const links = [link("a"), link("x"), link("b", ["a"], ["x"])];
    assert.deepEqual(
      [chainHeads(links), chainBases(links)],
      [
        ["b", "x"],
        ["a", "x"],
      ],
    );
    assert.deepEqual([chainHeads(diamond), chainBases(diamond)], [["m"], ["a"]]);
  });

  const faulty: readonly [string, readonly ChainLink[], readonly string[]][] = [
    ["nothing in a good chain", diamond, []],
    ["a duplicate id", [link("a"), link("a")], ["duplicate revision a"]],
    ["a gap", [link("b", ["a"])], ["revision b follows unknown revision a"]],
    ["an unknown dependency", [link("b", [], ["a"])], ["revision b follows unknown revision a"]],
    ["a cycle", [link("z"), link("a", ["b"]), link("b", ["a"])], ["revisions in a cycle or after one: a, b"]],
    ["a revision that follows itself", [link("a", ["a"])], ["revisions in a cycle or after one: a"]],
  ];
  for (const [name, links, expected] of faulty) {
    it(`finds ${name}`, () => assert.deepEqual(chainErrors(links), expected));
  }

  it("counts a dependency as applied with the revision that depends on it", () => {
    assert.deepEqual([...applied(diamond, ["c1"])].sort(), ["a", "b1", "c1"]);
  });

  const lock = linearLock("a", "b", "c");
  const branched = lockOf(diamond.map(({ id, ...rest }) => lockedRevision(id, rest)));
  const pendings = [
    { name: "the whole chain for an uninitialized database", lock, current: [], expected: ["a", "b", "c"] },
    { name: "the rest for one that is behind", lock, current: ["a"], expected: ["b", "c"] },
    { name: "nothing at head", lock, current: ["c"], expected: [] },
    { name: "the other branch and the merge revision", lock: branched, current: ["b2"], expected: ["c1", "m"] },
    { name: "the merge revision after two branches", lock: branched, current: ["b2", "c1"], expected: ["m"] },
    {
      name: "only the predecessors of the target",
      lock: branched,
      current: ["a"],
      target: ["c1"],
      expected: ["b1", "c1"],
    },
  ];
  for (const { name, lock, current, target, expected } of pendings) {
    it(`plans ${name}`, () =>
      assert.deepEqual(
        pending(lock, current, target).map(({ id }) => id),
        expected,
      ));
  }

  it("rejects an unknown revision", () => {
    assert.throws(() => pending(lock, ["zz"]), /unknown revision zz: not in the chain of 3 revisions/);
  });

  it("lists the tables that exist at the head", () => {
    const tables = { created: ["n"], altered: [], dropped: ["t_a"], unclassified: [] };
    const renamed = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], tables })]);
    assert.deepEqual(chainTables(renamed), ["n"]);
    const unknown = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], tables: null })]);
    assert.deepEqual(chainTables(unknown), ["t_a"]);
  });
});

const linear = linearLock("a", "b", "c", "d");
/** Two branches with a merge revision. */
const joined = lockOf([
  lockedRevision("a"),
  lockedRevision("l", { downRevisions: ["a"] }),
  lockedRevision("r", { downRevisions: ["a"] }),
  lockedRevision("m", { downRevisions: ["l", "r"] }),
]);
const ids = (revisions: readonly { readonly id: string }[]) => revisions.map(({ id }) => id);

describe("cutAt", () => {
  it("returns a chain that ends at the revision", () => {
    const { heads, bases, files, revisions } = cutAt(linear, "b");
    assert.deepEqual([heads, bases, ids(revisions)], [["b"], ["a"], ["a", "b"]]);
    assert.deepEqual(files, {}, "those of an older release");
  });

  it("returns the lockfile itself at its head", () => {
    assert.equal(cutAt(linear, "d"), linear);
  });

  it("keeps only the branch of the revision", () => {
    assert.deepEqual(ids(cutAt(joined, "r").revisions), ["a", "r"]);
  });

  it("rejects an unknown revision, with the known ones", () => {
    assert.throws(() => cutAt(linear, "x"), /unknown target revision x: the lockfile contains a, b, c, d/);
  });
});

describe("beyond", () => {
  it("returns the revisions to downgrade, newest first", () => {
    assert.deepEqual(ids(beyond(linear, ["d"], "b")), ["d", "c"]);
    assert.deepEqual(ids(beyond(joined, ["m"], "a")), ["m", "r", "l"]);
  });

  it("returns nothing at the revision, below it, or on an uninitialized database", () => {
    for (const current of [["b"], ["a"], []]) assert.deepEqual(beyond(linear, current, "b"), []);
  });
});
