import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import type { Reading } from "../../src/plan/live-state.ts";
import { makePlan, type PlanInputs } from "../../src/plan/plan.ts";
import { planHash } from "../../src/plan/plan-hash.ts";
import { describePlan } from "../../src/plan/plan-report.ts";
import { explainStalePlan } from "../../src/plan/rejection.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

/** A chain whose last revision destroys data and blocks other sessions. */
const risky = lockOf([
  lockedRevision("a"),
  lockedRevision("b", {
    downRevisions: ["a"],
    tables: { created: [], altered: ["t_a", "u"], dropped: [], unclassified: [] },
    upgrade: {
      sql: ["ALTER TABLE t_a DROP COLUMN n;", "CREATE INDEX i ON u (n);", "DO 'BEGIN END';", "INSERT INTO u;"],
    },
    findings: [
      { rule: "missing-downgrade", level: "warning", statement: null, message: "It can't be undone.", help: null },
      {
        rule: "ban-drop-column",
        level: "error",
        statement: 0,
        message: "Dropping may\nbreak clients.",
        help: "Don't.",
      },
      { rule: "require-concurrent-index-creation", level: "warning", statement: 1, message: "Slow.", help: null },
    ],
    locks: [
      { statement: 0, table: "p", mode: "ACCESS EXCLUSIVE", blocks: "reads and writes" },
      { statement: 0, table: "t_a", mode: "ACCESS EXCLUSIVE", blocks: "reads and writes" },
      { statement: 1, table: "u", mode: "SHARE", blocks: "writes" },
      { statement: 2, table: null, mode: null, blocks: null, reason: "a DO block runs code" },
      { statement: 3, table: "u", mode: "ROW EXCLUSIVE", blocks: "nothing" },
    ],
  }),
]);
const approvals = [{ revision: "b", rule: "ban-drop-column" }];
const rows = (...found: readonly string[]): Reading => ({ kind: "rows", rows: found });
const down: Reading = { kind: "unreachable", what: "database", cause: "down" };

describe("rejectPlan", () => {
  const of = (reading: Reading, given: Partial<PlanInputs> = {}) =>
    makePlan({
      reading,
      jobs: [],
      pods: [],
      lock: risky,
      image: "backend:1",
      firstJobName: "job-1",
      toleratedRevisions: [],
      approvals: [],
      pinnedHash: undefined,
      target: { context: "here", namespace: "unity" },
      ...given,
    });
  const hash = of(rows("a")).hash ?? "";

  const table: readonly [string, Reading, Partial<PlanInputs>, boolean][] = [
    ["allows a plan with nothing pending, with any findings and pin", rows("b"), { pinnedHash: "0" }, true],
    ["rejects an error of a pending revision", rows("a"), {}, false],
    ["allows an approved error", rows("a"), { approvals }, true],
    [
      "rejects an error if only another finding is approved",
      rows("a"),
      { approvals: [{ revision: "b", rule: "truncate" }] },
      false,
    ],
    ["rejects an error if the pending revisions are unknown", down, {}, false],
    ["allows approved errors if the pending revisions are unknown", down, { approvals }, true],
    ["allows an unknown plan if the stack pins it", down, { approvals, pinnedHash: "unknown" }, true],
    ["rejects a known plan if the stack pins an unknown one", rows("a"), { approvals, pinnedHash: "unknown" }, false],
    ["rejects a plan without a required pin", rows("a"), { approvals, pinRequired: true }, false],
    ["allows a plan with a required pin", rows("a"), { approvals, pinRequired: true, pinnedHash: hash }, true],
    ["requires no pin if nothing is pending", rows("b"), { pinRequired: true }, true],
    ["rejects an unknown plan without a required pin", down, { approvals, pinRequired: true }, false],
    ["allows the pinned plan", rows("a"), { approvals, pinnedHash: hash }, true],
    ["rejects a plan other than the pinned one", rows("a"), { approvals, pinnedHash: "v4-0000000000000000" }, false],
    [
      "rejects an image other than the pinned plan's",
      rows("a"),
      { approvals, pinnedHash: hash, image: "backend:2" },
      false,
    ],
    ["rejects an unknown plan if the stack pins a known one", down, { approvals, pinnedHash: hash }, false],
  ];
  for (const [what, reading, given, isAllowed] of table) {
    it(what, () => {
      const { job, rejection } = of(reading, given);
      assert.deepEqual([job !== null, rejection === null], [isAllowed, isAllowed]);
    });
  }

  it("hashes a plan only if revisions are pending", () => {
    assert.match(hash, /^v4-[0-9a-f]{16}$/);
    assert.deepEqual([of(rows("b")).hash, of(down).hash], [null, null]);
  });

  it("describes locks, findings, the rejection, and how to approve", () => {
    assert.equal(
      describePlan(of(rows("a"))),
      `Database is at a, behind head b.
Pending: 1 of 2 revisions
  2/2  b  Revision b
       alters t_a, u; reversible
         ALTER TABLE t_a DROP COLUMN n;
           blocks reads and writes of p, t_a (ACCESS EXCLUSIVE)
           error ban-drop-column: Dropping may break clients.
         CREATE INDEX i ON u (n);
           blocks writes of u (SHARE)
           warning require-concurrent-index-creation: Slow.
         DO 'BEGIN END';
           locks unknown: a DO block runs code
         INSERT INTO u;
The running release (a) keeps working during and after this migration
Plan hash: ${hash}
1 finding requires approval; no changes were made:
  b (alembic/versions/b.py): ban-drop-column
    ALTER TABLE t_a DROP COLUMN n;
    Dropping may break clients. Don't.
To approve, add to \`config:\` in the stack's file, Pulumi.<stack>.yaml (or to its existing approvals):
  unity:approvals:
    - { revision: "b", rule: ban-drop-column }`,
    );
  });

  it("describes approved findings, and the alternatives with --full", () => {
    const text = describePlan(of(rows("a"), { approvals }), { full: true });
    assert.match(text, /error ban-drop-column, approved: Dropping may break clients\. Don't\.\n/);
    assert.match(text, /\nJob job-1 will be created: /);
  });

  it("reports a stale plan: both hashes, the difference, and how to pin the new one", () => {
    const text = describePlan(of(rows(), { pinnedHash: hash }));
    const found = of(rows()).hash;
    assert.match(
      text,
      new RegExp(`plan is stale: expected hash ${hash}, current hash ${found}; no changes were made:`),
    );
    assert.match(text, /The pinned plan starts at a; the database is at base\./);
    assert.match(text, new RegExp(`pulumi config set planHash ${found}$`));
    assert.match(
      describePlan(of(down, { pinnedHash: hash })),
      /current hash unknown; .*\n.*revision is no longer known\.\n.*config set planHash unknown$/,
    );
  });

  it("reports a pinned hash of an earlier version, and how to renew it", () => {
    assert.match(
      describePlan(of(rows("a"), { approvals, pinnedHash: "0123456789abcdef" })),
      new RegExp(`The pinned hash is from another version .*\\n.*run: pulumi config set planHash ${hash}$`),
    );
  });

  it("reports a missing pin, and how to pin the plan", () => {
    const asked = describePlan(of(rows("a"), { approvals, pinRequired: true }));
    assert.match(asked, new RegExp(`production requires a pinned plan; .*\\n.*pulumi config set planHash ${hash}$`));
    const unasked = describePlan(of(down, { approvals, pinRequired: true }));
    assert.match(unasked, /production requires a pinned plan; .*\n {2}Wait .*: pulumi config set planHash unknown$/);
    const stale = describePlan(of(rows("a"), { approvals, pinnedHash: "unknown" }));
    assert.match(
      stale,
      /expected hash unknown, current hash .*\n.*revision is now known: a\.\n.*planHash v4-[0-9a-f]{16}$/,
    );
  });

  it("reports a downgrade that is not allowed", () => {
    assert.match(
      describePlan(of(rows("b"), { targetRevision: "a" })),
      /^downgrade not allowed; no changes were made:\n {2}downgrades are disabled/m,
    );
  });

  it("reports that every revision counts if the database revision is unknown", () => {
    assert.match(
      describePlan(of(down)),
      /\n {2}The database revision is unknown, so every revision counts as pending\.\n/,
    );
  });

  it("omits locks on tables that the same plan creates", () => {
    assert.doesNotMatch(describePlan(of(rows(), { approvals })), /of p, t_a/);
    assert.match(describePlan(of(rows(), { approvals })), /blocks reads and writes of p \(/);
  });
});

describe("explainStalePlan", () => {
  const lock = linearLock("a", "b", "c");
  const [, b, c] = lock.revisions as [never, LockedRevision, LockedRevision];
  const now = { lock, image: "i", direction: "upgrade" as const, from: ["a"], pending: [b, c] };
  const hashOf = (from: readonly string[], revisions: readonly LockedRevision[], image = "i") =>
    planHash({ image, direction: "upgrade", from, lock }, revisions);

  it("reports another database revision", () => {
    assert.match(explainStalePlan(hashOf(["b"], [c]), now), /plan starts at b; the database is at a\./);
    assert.match(explainStalePlan(hashOf([], lock.revisions), now), /starts at base; the database is at a/);
    const empty = { ...now, from: [], pending: lock.revisions };
    assert.match(explainStalePlan(hashOf(["a"], [b, c]), empty), /starts at a; the database is at base/);
  });

  it("reports new revisions of the lockfile", () => {
    assert.equal(explainStalePlan(hashOf(["a"], [b]), now), "The lockfile has new revisions: c.");
  });

  it("reports another database revision of a plan with a target, or of a downgrade", () => {
    const [a] = lock.revisions as [LockedRevision];
    const toTarget = { ...now, targetRevision: "b", from: [], pending: [a, b] };
    assert.match(explainStalePlan(hashOf(["a"], [b]), toTarget), /starts at a; the database is at base/);
    const back = { ...now, direction: "downgrade" as const, targetRevision: "a", from: ["b"], pending: [b] };
    const pinned = planHash({ image: "i", direction: "downgrade", from: ["c"], lock }, [c, b]);
    assert.match(explainStalePlan(pinned, back), /starts at c; the database is at b/);
  });

  it("reports another image, SQL, or file otherwise", () => {
    assert.match(
      explainStalePlan(hashOf(["a"], [b, c], "other"), now),
      /The image, the options of Alembic, the SQL, or a file .* changed: now a -> c with i\./,
    );
  });

  it("reports an unknown database revision", () => {
    assert.match(
      explainStalePlan("v4-0000000000000000", { ...now, from: null, pending: null }),
      /revision is no longer known/,
    );
  });
});
