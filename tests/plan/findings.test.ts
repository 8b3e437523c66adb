import assert from "node:assert/strict";
import type { Finding, LockedRevision } from "../../src/lockfile/lock.ts";
import type { StatementLock } from "../../src/lockfile/statement-lock.ts";
import type { Approval } from "../../src/plan/approvals.ts";
import { evaluate, unapproved, withoutNewTables } from "../../src/plan/findings.ts";
import { lockedRevision } from "../fixtures/chains/locks.ts";

const finding = (rule: string, statement: number | null = 0, level: Finding["level"] = "error"): Finding => ({
  rule,
  level,
  statement,
  message: "m",
  help: null,
});
const exclusive = (table: string, statement = 0): StatementLock => ({
  statement,
  table,
  mode: "ACCESS EXCLUSIVE",
  blocks: "reads and writes",
});
const tables = (created: string[], dropped: string[] = []) => ({ created, altered: [], dropped, unclassified: [] });

describe("unapproved", () => {
  const revisions = [
    lockedRevision("a", {
      findings: [finding("truncate"), finding("truncate", 1), finding("missing-downgrade", null, "warning")],
    }),
    lockedRevision("b", { findings: [finding("truncate"), finding("several", null)] }),
  ];
  const approve = (...names: [string, string][]): Approval[] => names.map(([revision, rule]) => ({ revision, rule }));
  const table: readonly [string, Approval[], string[]][] = [
    ["every error, but no warning", [], ["a truncate 0", "a truncate 1", "b truncate 0", "b several null"]],
    ["none of an approved rule, in any statement", approve(["a", "truncate"]), ["b truncate 0", "b several null"]],
    [
      "findings of other revisions or rules",
      approve(["b", "several"], ["c", "truncate"], ["a", "other"]),
      ["a truncate 0", "a truncate 1", "b truncate 0"],
    ],
    ["nothing if all are approved", approve(["a", "truncate"], ["b", "truncate"], ["b", "several"]), []],
  ];
  for (const [what, approvals, expected] of table) {
    it(`finds ${what}`, () => {
      const found = unapproved(evaluate(revisions, approvals));
      assert.deepEqual(
        found.map(({ revision, finding: { rule, statement } }) => `${revision} ${rule} ${statement}`),
        expected,
      );
    });
  }

  it("returns the statement and the file", () => {
    const [first] = unapproved(evaluate(revisions, []));
    assert.deepEqual([first?.sql, first?.file], ["CREATE TABLE t_a ();", "alembic/versions/a.py"]);
  });

  it("agrees with the approval of each finding", () => {
    const [first] = evaluate(revisions, approve(["a", "truncate"]));
    assert.deepEqual(
      first?.findings.map(({ approved }) => approved),
      [true, true, false],
    );
  });
});

describe("withoutNewTables", () => {
  const later = (given: Partial<LockedRevision>) =>
    lockedRevision("z", { tables: tables([]), findings: [finding("ban-drop-column")], ...given });
  const table: readonly [string, LockedRevision[], number, number][] = [
    ["a table that a pending revision creates", [lockedRevision("a"), later({ locks: [exclusive("t_a")] })], 0, 0],
    ["an existing table", [lockedRevision("a"), later({ locks: [exclusive("old")] })], 1, 1],
    [
      "a new and an existing table",
      [lockedRevision("a"), later({ locks: [exclusive("t_a"), exclusive("old")] })],
      1,
      1,
    ],
    ["no table", [lockedRevision("a"), later({ locks: [] })], 1, 0],
    [
      "the whole revision",
      [lockedRevision("a"), later({ locks: [exclusive("t_a")], findings: [finding("x", null)] })],
      1,
      0,
    ],
    [
      "unknown tables",
      [lockedRevision("a"), later({ locks: [{ statement: 0, table: null, mode: null, blocks: null, reason: "DO" }] })],
      1,
      1,
    ],
    [
      "a renamed existing table",
      [lockedRevision("a", { tables: tables(["new"], ["old"]) }), later({ locks: [exclusive("new")] })],
      1,
      1,
    ],
    [
      "a renamed new table",
      [
        lockedRevision("a"),
        lockedRevision("b", { tables: tables(["new"], ["t_a"]) }),
        later({ locks: [exclusive("new")] }),
      ],
      0,
      0,
    ],
    [
      "a table with the name of a dropped one",
      [lockedRevision("a"), lockedRevision("b", { tables: tables([], ["t_a"]) }), later({ locks: [exclusive("t_a")] })],
      1,
      1,
    ],
  ];
  for (const [what, pending, findings, locks] of table) {
    it(`${findings > 0 ? "keeps" : "omits"} findings about ${what}`, () => {
      const last = withoutNewTables(pending).at(-1);
      assert.deepEqual([last?.findings.length, last?.locks.length], [findings, locks]);
    });
  }
});
