import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import { explainMove } from "../../src/plan/moved-plan.ts";
import { planHash } from "../../src/plan/plan-hash.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

describe("explainMove", () => {
  const lock = linearLock("a", "b", "c");
  const [, b, c] = lock.revisions as [never, LockedRevision, LockedRevision];
  const now = { lock, image: "i", from: ["a"], pending: [b, c] };

  it("says that the database is somewhere else", () => {
    assert.match(explainMove(planHash("i", ["b"], [c]), now), /plan begins at b; the database is at a\./);
    assert.match(
      explainMove(planHash("i", [], lock.revisions), now),
      /begins at an empty database; the database is at a/,
    );
    const empty = { ...now, from: [], pending: lock.revisions };
    assert.match(explainMove(planHash("i", ["a"], [b, c]), empty), /begins at a; the database is at no revision/);
  });

  it("says what the release has got since", () => {
    assert.equal(explainMove(planHash("i", ["a"], [b]), now), "Since then the release has got c.");
  });

  it("says else what is left: the image, or SQL", () => {
    assert.match(explainMove(planHash("other", ["a"], [b, c]), now), /Image or SQL .* takes i from a to c\./);
  });

  it("says that nobody knows where the database can't be asked", () => {
    assert.match(explainMove("0".repeat(16), { ...now, from: null, pending: null }), /can't be asked/);
  });
});
