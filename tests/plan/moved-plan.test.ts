import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import { explainStalePlan } from "../../src/plan/moved-plan.ts";
import { planHash } from "../../src/plan/plan-hash.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

describe("explainMove", () => {
  const lock = linearLock("a", "b", "c");
  const [, b, c] = lock.revisions as [never, LockedRevision, LockedRevision];
  const now = { lock, image: "i", from: ["a"], pending: [b, c] };

  it("says that the database is somewhere else", () => {
    assert.match(explainStalePlan(planHash("i", ["b"], [c]), now), /plan begins at b; the database is at a\./);
    assert.match(
      explainStalePlan(planHash("i", [], lock.revisions), now),
      /begins at an empty database; the database is at a/,
    );
    const empty = { ...now, from: [], pending: lock.revisions };
    assert.match(explainStalePlan(planHash("i", ["a"], [b, c]), empty), /begins at a; the database is at no revision/);
  });

  it("says what the release has got since", () => {
    assert.equal(explainStalePlan(planHash("i", ["a"], [b]), now), "Since then the release has got c.");
  });

  it("says else what is left: the image, or SQL", () => {
    assert.match(explainStalePlan(planHash("other", ["a"], [b, c]), now), /Image or SQL .* takes i from a to c\./);
  });

  it("says that nobody knows where the database can't be asked", () => {
    assert.match(explainStalePlan("0".repeat(16), { ...now, from: null, pending: null }), /can't be asked/);
  });
});
