import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import { jobPlan } from "../../src/plan/job-plan.ts";
import { classify, type Reading } from "../../src/plan/live-state.ts";
import { planHash } from "../../src/plan/plan-hash.ts";
import { workOf } from "../../src/plan/work.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { database } from "../support/fake-kubectl.ts";

const lock = linearLock("a", "b", "c");
const [a, b, c] = lock.revisions as [LockedRevision, LockedRevision, LockedRevision];
const rows = (...found: readonly string[]): Reading => ({ kind: "rows", rows: found, database });

function planOf(reading: Reading, targetRevision?: string, toleratedRevisions: readonly string[] = []) {
  const state = classify(reading, lock, { targetRevision, toleratedRevisions });
  return jobPlan(reading, workOf(state, { lock, targetRevision, approvals: [] }), { image: "i", lock });
}

describe("jobPlan", () => {
  const upgrade = (from: readonly string[], ...pending: readonly LockedRevision[]) =>
    planHash({ image: "i", direction: "upgrade", from, files: lock.files }, pending);

  it("contains the database, its revision, and the hash of what is pending", () => {
    assert.deepEqual(planOf(rows("a")), {
      version: 1,
      hash: upgrade(["a"], b, c),
      direction: "upgrade",
      from: ["a"],
      database,
    });
  });

  it("starts at the head if nothing is pending", () => {
    assert.deepEqual(planOf(rows("c")), { ...planOf(rows("a")), hash: upgrade(["c"]), from: ["c"] });
    assert.deepEqual(planOf(rows("z"), undefined, ["z"]).from, ["z"]);
  });

  it("starts at base in an uninitialized database", () => {
    for (const reading of [rows(), { kind: "rows", rows: null, database } as const])
      assert.deepEqual(planOf(reading), { ...planOf(rows("a")), hash: upgrade([], a, b, c), from: [] });
  });

  it("contains the direction", () => {
    const { direction, from, hash } = planOf(rows("c"), "a");
    assert.deepEqual([direction, from], ["downgrade", ["c"]]);
    assert.equal(hash, planHash({ image: "i", direction: "downgrade", from: ["c"], files: lock.files }, [c, b]));
  });

  it("contains no database where none could be queried, and at most all revisions", () => {
    const expected = { version: 1, hash: upgrade([], a, b, c), direction: "upgrade", from: [], database: null };
    assert.deepEqual(planOf({ kind: "not-deployed" }), expected);
  });

  it("contains no revisions where the database is unreachable", () => {
    const expected = { version: 1, hash: null, direction: "upgrade", from: null, database: null };
    assert.deepEqual(planOf({ kind: "unreachable", what: "database", cause: "down" }), expected);
  });
});
