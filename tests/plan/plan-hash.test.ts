import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FileHashes, type LockedAlembic, type LockedRevision, plainAlembic } from "../../src/lockfile/lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { type Direction, type HashedRevision, planHash, sqlHash } from "../../src/plan/plan-hash.ts";

const rendered: HashedRevision = {
  id: "r1",
  file: "r1.py",
  sha256: "a".repeat(64),
  files: { "r1.sql": "d".repeat(64) },
  upgrade: { sql: ["CREATE TABLE ü (\n  id INT\n);"] },
  downgrade: { sql: ["DROP TABLE ü;"] },
};
const unrendered: HashedRevision = {
  id: "zwölf",
  file: "zwölf.py",
  sha256: "b".repeat(64),
  files: {},
  upgrade: { sql: null, reason: "line 7" },
  downgrade: { sql: [] },
};

describe("sqlHash", () => {
  it("hashes the SQL of a direction, or the file of a revision without SQL", () => {
    // printf '%s' '["CREATE TABLE ü (\n  id INT\n);"]' | sha256sum
    assert.equal(sqlHash(rendered, "upgrade"), "5099e7b75b003492");
    assert.equal(sqlHash({ ...rendered, sha256: "c".repeat(64) }, "upgrade"), sqlHash(rendered, "upgrade"));
    assert.notEqual(sqlHash(rendered, "downgrade"), sqlHash(rendered, "upgrade"));
    assert.notEqual(sqlHash({ ...unrendered, sha256: "c".repeat(64) }, "upgrade"), sqlHash(unrendered, "upgrade"));
  });
});

describe("planHash", () => {
  const applied = { ...rendered, id: "r0", file: "r0.py" } as LockedRevision;
  const lock = { alembic: plainAlembic, files: { "env.py": "e".repeat(64) }, revisions: [applied] };
  const start = { image: "image:1", direction: "upgrade", from: ["r0"], lock } as const;
  const back = { ...start, direction: "downgrade" } as const;
  const hash = planHash(start, [rendered, unrendered]);

  it("does not depend on the order of alembic_version's rows", () => {
    assert.equal(planHash({ ...start, from: ["a", "b"] }, []), planHash({ ...start, from: ["b", "a"] }, []));
  });

  const others: Record<string, string> = {
    image: planHash({ ...start, image: "image:2" }, [rendered, unrendered]),
    place: planHash({ ...start, from: [] }, [rendered, unrendered]),
    direction: planHash(back, [rendered, unrendered]),
    revisions: planHash(start, [rendered]),
    order: planHash(start, [unrendered, rendered]),
    SQL: planHash(start, [{ ...rendered, upgrade: { sql: [] } }, unrendered]),
    "content of a file": planHash(start, [{ ...rendered, sha256: "c".repeat(64) }, unrendered]),
    "options of Alembic": planHash({ ...start, lock: { ...lock, alembic: { ...plainAlembic, x: ["a=b"] } } }, [
      rendered,
      unrendered,
    ]),
    "content of a file that a revision reads": planHash(start, [
      { ...rendered, files: { "r1.sql": "c".repeat(64) } },
      unrendered,
    ]),
    "content of env.py": planHash({ ...start, lock: { ...lock, files: { "env.py": "c".repeat(64) } } }, [
      rendered,
      unrendered,
    ]),
    "content of a file of another revision": planHash(
      { ...start, lock: { ...lock, revisions: [{ ...applied, sha256: "c".repeat(64) }] } },
      [rendered, unrendered],
    ),
    "name of a file": planHash(start, [{ ...rendered, file: "r2.py" }, unrendered]),
  };
  for (const [what, other] of Object.entries(others)) {
    it(`changes with the ${what}`, () => assert.notEqual(other, hash));
  }

  it("covers the SQL of its own direction only", () => {
    const other = { ...rendered, downgrade: { sql: ["DROP TABLE ü CASCADE;"] } };
    assert.equal(planHash(start, [other, unrendered]), hash);
    assert.notEqual(planHash(back, [other]), planHash(back, [rendered]));
  });

  interface Case {
    readonly name: string;
    readonly image: string;
    readonly direction: Direction;
    readonly from: readonly string[];
    readonly files: FileHashes;
    readonly alembic?: LockedAlembic;
    readonly revisions: readonly (HashedRevision & { readonly sqlHashes: Readonly<Record<Direction, string>> })[];
    readonly hash: string;
  }
  // tests/runner/test_plan.py computes the same hashes.
  const cases: readonly Case[] = JSON.parse(
    readFileSync(join(projectRoot, "tests", "fixtures", "plan-hashes.json"), "utf8"),
  );
  for (const { name, revisions, hash, files, alembic = plainAlembic, ...start } of cases) {
    it(`equals the runner's for ${name}`, () => {
      for (const revision of revisions)
        for (const direction of ["upgrade", "downgrade"] as const)
          assert.equal(sqlHash(revision, direction), revision.sqlHashes[direction]);
      assert.equal(planHash({ ...start, lock: { alembic, files, revisions: [] } }, revisions), hash);
    });
  }
});
