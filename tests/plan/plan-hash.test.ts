import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { type HashedRevision, planHash, sqlHash } from "../../src/plan/plan-hash.ts";

const rendered: HashedRevision = {
  id: "r1",
  sha256: "a".repeat(64),
  upgrade: { sql: ["CREATE TABLE ü (\n  id INT\n);"] },
};
const unrendered: HashedRevision = { id: "zwölf", sha256: "b".repeat(64), upgrade: { sql: null, reason: "line 7" } };

describe("sqlHash", () => {
  it("hashes the SQL, or the file of a revision without SQL", () => {
    // printf '%s' '["CREATE TABLE ü (\n  id INT\n);"]' | sha256sum
    assert.equal(sqlHash(rendered), "5099e7b75b003492");
    assert.equal(sqlHash({ ...rendered, sha256: "c".repeat(64) }), sqlHash(rendered));
    assert.notEqual(sqlHash({ ...unrendered, sha256: "c".repeat(64) }), sqlHash(unrendered));
  });
});

describe("planHash", () => {
  const hash = planHash("image:1", ["r0"], [rendered, unrendered]);

  it("does not depend on the order of alembic_version's rows", () => {
    assert.equal(planHash("image:1", ["a", "b"], []), planHash("image:1", ["b", "a"], []));
  });

  const others: Record<string, string> = {
    image: planHash("image:2", ["r0"], [rendered, unrendered]),
    place: planHash("image:1", [], [rendered, unrendered]),
    revisions: planHash("image:1", ["r0"], [rendered]),
    order: planHash("image:1", ["r0"], [unrendered, rendered]),
    sql: planHash("image:1", ["r0"], [{ ...rendered, upgrade: { sql: [] } }, unrendered]),
  };
  for (const [what, other] of Object.entries(others)) {
    it(`changes with the ${what}`, () => assert.notEqual(other, hash));
  }

  interface Case {
    readonly name: string;
    readonly image: string;
    readonly current: readonly string[];
    readonly steps: readonly (readonly [id: string, sqlHash: string])[];
    readonly hash: string;
  }
  // tests/runner/test_plan.py computes the same hashes.
  const cases: readonly Case[] = JSON.parse(
    readFileSync(join(projectRoot, "tests", "fixtures", "plan-hashes.json"), "utf8"),
  );
  for (const { name, image, current, steps, hash } of cases) {
    it(`equals the runner's for ${name}`, () => {
      const pending = steps.map(([id]) => [rendered, unrendered].find((revision) => revision.id === id) ?? rendered);
      assert.deepEqual(
        pending.map((revision) => [revision.id, sqlHash(revision)]),
        steps,
      );
      assert.equal(planHash(image, current, pending), hash);
    });
  }
});
