import assert from "node:assert/strict";
import type { LockedRevision } from "../../src/lockfile/lock.ts";
import type { Reading } from "../../src/plan/live-state.ts";
import { makePlan, type Plan, type PlanInputs } from "../../src/plan/plan.ts";
import { planHash } from "../../src/plan/plan-hash.ts";
import { describePlan } from "../../src/plan/plan-report.ts";
import { explainStalePlan } from "../../src/plan/rejection.ts";
import { describeRejection } from "../../src/plan/rejection-report.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

/** A chain whose last revision destroys data, and one that is waited for. */
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

function describeAll(plan: Plan, full = false): string {
  const { rejection, pending } = plan;
  const why = rejection === null ? [] : describeRejection(rejection, pending !== null);
  return [...describePlan(plan, full), ...why].join("\n");
}

describe("a plan that the stack has to allow", () => {
  const of = (reading: Reading, given: Partial<PlanInputs> = {}) =>
    makePlan({
      reading,
      jobs: [],
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
    [
      "goes on where nothing is pending, whatever the chain has and the stack pins",
      rows("b"),
      { pinnedHash: "0" },
      true,
    ],
    ["stops at an error of a pending revision", rows("a"), {}, false],
    ["goes on once it is approved", rows("a"), { approvals }, true],
    ["stops where another finding is approved", rows("a"), { approvals: [{ revision: "b", rule: "truncate" }] }, false],
    ["stops where the database can't be asked what is pending", down, {}, false],
    ["goes on there where all is approved", down, { approvals }, true],
    ["lets through what can't be asked where the stack says so", down, { approvals, pinnedHash: "unknown" }, true],
    ["stops at what can be asked after all", rows("a"), { approvals, pinnedHash: "unknown" }, false],
    ["stops without a pin where one is needed", rows("a"), { approvals, pinRequired: true }, false],
    ["goes on with a pin where one is needed", rows("a"), { approvals, pinRequired: true, pinnedHash: hash }, true],
    ["needs no pin where nothing is pending", rows("b"), { pinRequired: true }, true],
    ["needs a pin where the database can't be asked", down, { approvals, pinRequired: true }, false],
    ["goes on with the plan that was pinned", rows("a"), { approvals, pinnedHash: hash }, true],
    ["stops at another plan than the pinned one", rows("a"), { approvals, pinnedHash: "0".repeat(16) }, false],
    [
      "stops at another image than the pinned plan's",
      rows("a"),
      { approvals, pinnedHash: hash, image: "backend:2" },
      false,
    ],
    ["stops where a plan is pinned and the database can't be asked", down, { approvals, pinnedHash: hash }, false],
  ];
  for (const [what, reading, given, goesOn] of table) {
    it(what, () => {
      const { job, rejection } = of(reading, given);
      assert.deepEqual([job !== null, rejection === null], [goesOn, goesOn]);
    });
  }

  it("has a hash where something is pending", () => {
    assert.match(hash, /^[0-9a-f]{16}$/);
    assert.deepEqual([of(rows("b")).hash, of(down).hash], [null, null]);
  });

  it("shows locks, findings, the refusal and how to approve", () => {
    assert.equal(
      describeAll(of(rows("a"))),
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

  it("shows what is approved, and what to do instead with --full", () => {
    const text = describeAll(of(rows("a"), { approvals }), true);
    assert.match(text, /error ban-drop-column, approved: Dropping may break clients\. Don't\.\n/);
    assert.match(text, /\nJob job-1 will be created: /);
  });

  it("says that it has moved: what was pinned, what is there, in what it differs, and how to pin it", () => {
    const text = describeAll(of(rows(), { pinnedHash: hash }));
    const found = of(rows()).hash;
    assert.match(
      text,
      new RegExp(`plan is stale: expected hash ${hash}, current hash ${found}; no changes were made:`),
    );
    assert.match(text, /The pinned plan starts at a; the database is at base\./);
    assert.match(text, new RegExp(`pulumi config set planHash ${found}$`));
    assert.match(
      describeAll(of(down, { pinnedHash: hash })),
      /current hash unknown; .*\n.*revision is unknown now\.\n.*config set planHash unknown$/,
    );
  });

  it("says that it has to be pinned, and how", () => {
    const asked = describeAll(of(rows("a"), { approvals, pinRequired: true }));
    assert.match(asked, new RegExp(`production requires a pinned plan; .*\\n.*pulumi config set planHash ${hash}$`));
    const unasked = describeAll(of(down, { approvals, pinRequired: true }));
    assert.match(unasked, /production requires a pinned plan; .*\n {2}Wait .*: pulumi config set planHash unknown$/);
    const stale = describeAll(of(rows("a"), { approvals, pinnedHash: "unknown" }));
    assert.match(
      stale,
      /expected hash unknown, current hash .*\n.*revision is known now: a\.\n.*planHash [0-9a-f]{16}$/,
    );
  });

  it("says that a downgrade has to be allowed", () => {
    assert.match(
      describeAll(of(rows("b"), { targetRevision: "a" })),
      /^downgrade not allowed; no changes were made:\n {2}downgrades are disabled/m,
    );
  });

  it("says that every revision counts where the database can't be asked", () => {
    assert.match(
      describeAll(of(down)),
      /\n {2}The database revision is unknown, so every revision counts as pending\.\n/,
    );
  });

  it("stays silent of locks on tables that the same plan makes", () => {
    assert.doesNotMatch(describeAll(of(rows(), { approvals })), /of p, t_a/);
    assert.match(describeAll(of(rows(), { approvals })), /blocks reads and writes of p \(/);
  });
});

describe("explainMove", () => {
  const lock = linearLock("a", "b", "c");
  const [, b, c] = lock.revisions as [never, LockedRevision, LockedRevision];
  const now = { lock, image: "i", from: ["a"], pending: [b, c] };

  it("says that the database is somewhere else", () => {
    assert.match(explainStalePlan(planHash("i", ["b"], [c]), now), /plan starts at b; the database is at a\./);
    assert.match(explainStalePlan(planHash("i", [], lock.revisions), now), /starts at base; the database is at a/);
    const empty = { ...now, from: [], pending: lock.revisions };
    assert.match(explainStalePlan(planHash("i", ["a"], [b, c]), empty), /starts at a; the database is at base/);
  });

  it("says what the release has got since", () => {
    assert.equal(explainStalePlan(planHash("i", ["a"], [b]), now), "The lockfile has new revisions: c.");
  });

  it("says else what is left: the image, or SQL", () => {
    assert.match(
      explainStalePlan(planHash("other", ["a"], [b, c]), now),
      /The image or the SQL .* changed: now a -> c with i\./,
    );
  });

  it("says that nobody knows where the database can't be asked", () => {
    assert.match(explainStalePlan("0".repeat(16), { ...now, from: null, pending: null }), /revision is unknown now/);
  });
});
