import assert from "node:assert/strict";
import { compareLocks, type Difference, rejectedDifferences } from "../../src/lockfile/compare-locks.ts";
import type { Lock } from "../../src/lockfile/lock.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const before = linearLock("a", "b");

function brief(differences: readonly Difference[]): string[] {
  return differences.map(
    ({ kind, revisions, changes }) => `${kind} ${revisions.join()} ${changes.map(({ field }) => field).join()}`,
  );
}

describe("comparison of locks", () => {
  const inserted = lockOf([
    lockedRevision("a"),
    lockedRevision("n", { downRevisions: ["a"] }),
    lockedRevision("b", { downRevisions: ["n"] }),
  ]);
  const otherSql = { ...lockedRevision("a"), upgrade: { sql: ["CREATE TABLE t_a (id int);"] }, sha256: "0".repeat(64) };
  const cases: readonly { name: string; after: Lock; expected: string[]; rejected: string[] }[] = [
    { name: "no difference", after: before, expected: [], rejected: [] },
    { name: "a revision at the end", after: linearLock("a", "b", "c"), expected: ["added c "], rejected: [] },
    { name: "a removed revision", after: linearLock("a"), expected: ["removed b "], rejected: ["removed b "] },
    {
      name: "a revision inserted before a recorded one",
      after: inserted,
      expected: ["changed b downRevisions", "added n "],
      rejected: ["changed b downRevisions"],
    },
    {
      name: "an edited file with different SQL",
      after: lockOf([otherSql, lockedRevision("b", { downRevisions: ["a"] })]),
      expected: ["changed a sha256,upgrade.sql"],
      rejected: ["changed a sha256,upgrade.sql"],
    },
    {
      name: "findings and locks of a locked revision, not as its change",
      after: lockOf([
        lockedRevision("a", {
          findings: [{ rule: "truncate", level: "error", statement: 0, message: "m", help: null }],
          locks: [{ statement: 0, table: "t", mode: "SHARE", blocks: "writes" }],
        }),
        lockedRevision("b", { downRevisions: ["a"] }),
      ]),
      expected: ["changed a findings,locks"],
      rejected: [],
    },
    {
      name: "a file that a revision reads now, not as its change",
      after: lockOf([lockedRevision("a", { files: { "a.sql": "1" } }), lockedRevision("b", { downRevisions: ["a"] })]),
      expected: ["changed a addedFiles"],
      rejected: [],
    },
    {
      name: "an edited env.py",
      after: { ...before, files: { "alembic/env.py": "0".repeat(64) } },
      expected: ["chain  files"],
      rejected: [],
    },
    {
      name: "a different order",
      after: { ...before, revisions: [...before.revisions].reverse() },
      expected: ["order a,b order"],
      rejected: [],
    },
  ];
  for (const { name, after, expected, rejected } of cases) {
    it(`finds ${name}`, () => {
      const differences = compareLocks(before, after);
      assert.deepEqual(brief(differences), expected);
      assert.deepEqual(brief(rejectedDifferences(differences, new Set())), rejected);
    });
  }

  it("allows changes of the named revisions only", () => {
    const differences = compareLocks(before, lockOf([otherSql]));
    assert.deepEqual(brief(rejectedDifferences(differences, new Set(["a"]))), ["removed b "]);
    assert.deepEqual(rejectedDifferences(differences, new Set(["a", "b"])), []);
  });

  it("finds a statement that was split in two with the same text", () => {
    const of = (sql: string[]) => lockOf([lockedRevision("a", { upgrade: { sql } })]);
    assert.deepEqual(brief(compareLocks(of(["A;\nB;"]), of(["A;", "B;"]))), ["changed a upgrade.sql"]);
  });
});
