import assert from "node:assert/strict";
import { explainMove } from "../../migrations/moved-plan.ts";
import { planHash, sqlHash } from "../../migrations/plan-hash.ts";
import { linearLock, lockedRevision } from "../fixtures/chains/locks.ts";

const known = lockedRevision("c", {
  upgrade: { sql: ['CREATE TABLE "tä" (\n    id BIGINT\n);', "INSERT INTO t VALUES ('\\ \u2028 €');"] },
});
const notKnown = lockedRevision("d", { upgrade: { sql: null, reason: "it asks" }, sha256: "0".repeat(64) });

// The digits come from Python: hashlib over json.dumps(…, separators=(",", ":"), ensure_ascii=False).
describe("planHash", () => {
  it("is what the runner computes", () => {
    assert.equal(sqlHash(known), "35b90b65255fd945");
    assert.equal(sqlHash(notKnown), "60e05bd1b195af2f");
    assert.equal(planHash("r/u:1", ["b", "a"], [known, notKnown]), "967060e3bec4a6aa");
    assert.equal(planHash("r/u:1", [], []), "ecdda481fc110237");
  });

  it("depends on the image, the start, and each revision's id, SQL and place; on nothing else", () => {
    const hash = planHash("i", ["a"], [known, notKnown]);
    assert.equal(planHash("i", ["a"], [{ ...known, sha256: "1".repeat(64) }, notKnown]), hash);
    const others = [
      planHash("j", ["a"], [known, notKnown]),
      planHash("i", [], [known, notKnown]),
      planHash("i", ["a"], [notKnown, known]),
      planHash("i", ["a"], [known]),
      planHash("i", ["a"], [{ ...known, id: "e" }, notKnown]),
      planHash("i", ["a"], [{ ...known, upgrade: { sql: [] } }, notKnown]),
      planHash("i", ["a"], [known, { ...notKnown, sha256: "1".repeat(64) }]),
    ];
    assert.equal(new Set([hash, ...others]).size, others.length + 1);
  });
});

describe("explainMove", () => {
  const lock = linearLock("a", "b", "c");
  const [, b, c] = lock.revisions as [never, typeof known, typeof known];
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
