import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

  const cases: [string, string, string[], HashedRevision[]][] = [
    ["nothing", "", [], []],
    ["plain text", "localhost/unity:1@sha256:0", ["6a00ea433c25"], [rendered]],
    [
      "text beyond ASCII, quotes and control characters",
      'ü"\\/\u0001\u007f\n',
      ["é", "z", "\u2028"],
      [unrendered, rendered],
    ],
    ["rows that JavaScript sorts differently", "i", ["\u{1f600}", "\uff5e", "a"], []],
  ];
  it("equals the hash that the runner computes", () => {
    const inputs = cases.map(([, image, from, pending]) => [
      image,
      from,
      pending.map((each) => [each.id, sqlHash(each)]),
    ]);
    const script =
      "import json, sys; from runner_plan_hash import plan_hash; print(*(plan_hash(*i) for i in json.load(sys.stdin)))";
    const { stdout, stderr } = spawnSync("python3", ["-B", "-c", script], {
      cwd: join(projectRoot, "src", "runner"),
      input: JSON.stringify(inputs),
      encoding: "utf8",
    });
    const expected = cases.map(([, image, from, pending]) => planHash(image, from, pending));
    assert.deepEqual(stdout.trim().split(" "), expected, stderr);
  });
});
