import assert from "node:assert/strict";
import type { Lock } from "../../src/lockfile/lock.ts";
import type { Reading } from "../../src/plan/live-state.ts";
import { makePlan, type Plan, type PlanInputs } from "../../src/plan/plan.ts";
import { describePlan } from "../../src/plan/plan-report.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const long = `CREATE TABLE t_c (\n    id BIGINT,\n    ${"note TEXT, ".repeat(20)}\n);`;
const lock = lockOf([
  lockedRevision("a"),
  lockedRevision("b", { downRevisions: ["a"], reversible: false, reversibleReason: "its downgrade is empty" }),
  lockedRevision("c", {
    downRevisions: ["b"],
    tables: { created: ["t_c"], altered: ["t_a", "t_b"], dropped: ["t_x"], unclassified: [] },
    upgrade: { sql: [long, "DROP TABLE t_x;"] },
  }),
]);
const rows = (...found: readonly string[]): Reading => ({ kind: "rows", rows: found });

function plan(reading: Reading, given: Partial<PlanInputs> = {}) {
  const target = { context: "here", namespace: "unity" };
  const nothing = { jobs: [], toleratedRevisions: [], approvals: [], pinnedHash: undefined };
  return makePlan({ reading, lock, image: "backend:1", firstJobName: "job-1", ...nothing, target, ...given });
}

describe("makePlan", () => {
  const table: readonly [string, Reading, readonly string[] | null][] = [
    ["everything for what was never deployed", { kind: "not-deployed" }, ["1 a", "2 b", "3 c"]],
    ["everything for an empty database", rows(), ["1 a", "2 b", "3 c"]],
    ["the rest for one that is behind", rows("b"), ["3 c"]],
    ["nothing at head", rows("c"), []],
    ["no one knows what for a database that is down", { kind: "unreachable", what: "database", cause: "down" }, null],
  ];
  for (const [what, reading, expected] of table) {
    it(`applies ${what}`, () => {
      const { pending, job } = plan(reading);
      assert.deepEqual(pending?.map(({ position, id }) => `${position} ${id}`) ?? null, expected);
      assert.equal(job?.name, "job-1");
    });
  }

  const stopping: readonly [Reading, Lock?][] = [
    [rows("zz")],
    [rows("a", "b")],
    [{ kind: "unreachable", what: "cluster", cause: "no such context" }],
  ];
  for (const [reading] of stopping) {
    it(`declares no Job for ${JSON.stringify(reading)}`, () => assert.equal(plan(reading).job, null));
  }

  it("goes on with a revision that is tolerated", () => {
    assert.equal(plan(rows("zz"), { toleratedRevisions: ["zz"] }).job?.name, "job-1");
  });

  describe("with a target below the database", () => {
    const back = (reading: Reading, given: Partial<PlanInputs> = {}) =>
      plan(reading, { targetRevision: "b", ...given });

    it("undoes nothing unless the stack allows it, and says how to", () => {
      const { job, rejection, pending } = back(rows("c"));
      assert.equal(job, null);
      assert.match(
        rejection?.goingBack.join() ?? "",
        /^downgrades are disabled: .* pulumi config set allowDowngrade true && .* restorePoint true$/,
      );
      assert.deepEqual(
        pending?.map(({ id }) => id),
        ["c"],
      );
    });

    it("undoes what is beyond the target, newest first, where that is allowed", () => {
      const { job, direction, pending, head } = back(rows("c"), { targetRevision: "b", allowDowngrade: true });
      assert.deepEqual([job?.action, direction, head], ["run", "downgrade", "b"]);
      assert.deepEqual(
        pending?.map(({ position, id }) => `${position} ${id}`),
        ["3 c"],
      );
    });

    it("refuses what can't be undone, allowed or not", () => {
      const { job, rejection } = back(rows("c"), { targetRevision: "a", allowDowngrade: true });
      assert.equal(job, null);
      assert.deepEqual(rejection?.goingBack, [
        "revision b is irreversible: its downgrade is empty. Restore a restore point instead",
      ]);
    });

    it("asks for no approval of what was applied long ago", () => {
      const findings = [{ rule: "ban-drop-table", level: "error", statement: 0, message: "m", help: null }] as const;
      const risky = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], findings })]);
      const { rejection } = plan(rows("b"), { lock: risky, targetRevision: "a", allowDowngrade: true });
      assert.equal(rejection, null);
    });

    it("applies only what leads to the target, and nothing at it", () => {
      const ids = (reading: Reading) => back(reading).pending?.map(({ id }) => id);
      assert.deepEqual([ids(rows()), ids(rows("a")), ids(rows("b"))], [["a", "b"], ["b"], []]);
    });

    it("runs again where a complete Job's database has gone beyond since", () => {
      const jobs = [{ name: "job-1", state: "complete" as const }];
      assert.equal(back(rows("c"), { allowDowngrade: true, jobs }).job?.name, "job-1-2");
    });
  });

  it("plans a chain of 1,000 revisions, and says how long that took", () => {
    const thousand = linearLock(...Array.from({ length: 1000 }, (_, index) => `r${index}`));
    const started = performance.now();
    assert.equal(plan(rows("r499"), { lock: thousand }).pending?.length, 500);
    console.log(`      1,000 revisions in ${Math.round(performance.now() - started)} ms`);
  });
});

describe("describePlan", () => {
  const describeAll = (plan: Plan, full?: boolean) => describePlan(plan, full).join("\n");

  it("shows what is pending: tables, statements, whether it can be undone, and the Job", () => {
    assert.equal(
      describeAll(plan(rows("a"))),
      `Database is at a, behind head c.
Pending: 2 of 3 revisions
  2/3  b  Revision b
       creates t_b; irreversible: its downgrade is empty
         CREATE TABLE t_b ();
  3/3  c  Revision c
       creates t_c; alters t_a, t_b; drops t_x; reversible
         ${long.replaceAll(/\s+/g, " ").slice(0, 99)}…
         DROP TABLE t_x;
Some statements are truncated. To print them in full, run: npm run unity -- plan --full
Plan hash: ${plan(rows("a")).hash}
Job job-1 will be created: no existing Job`,
    );
  });

  it("shows whole statements when asked to", () => {
    const text = describeAll(plan(rows("b")), true);
    for (const line of long.split("\n")) assert.ok(text.includes(`\n         ${line}\n`), line);
    assert.ok(!text.includes("truncated"));
  });

  it("says that nothing is to migrate at head", () => {
    const jobs = [{ name: "job-1", state: "complete" as const }];
    assert.equal(
      describeAll(plan(rows("c"), { jobs })),
      "Database is up to date (head c).\nJob job-1 is unchanged: already complete",
    );
  });

  it("shows what is to be undone, with what undoes it", () => {
    assert.equal(
      describeAll(plan(rows("c"), { targetRevision: "b", allowDowngrade: true })),
      `Database is at c, beyond target b.
To downgrade: 1 of 3 revisions
  3/3  c  Revision c (downgrade)
         DROP TABLE t_c;
Plan hash: ${plan(rows("c"), { targetRevision: "b" }).hash}
Job job-1 will be created: no existing Job`,
    );
  });

  it("says why SQL or tables are not known", () => {
    const unrendered = lockOf([lockedRevision("a", { tables: null, upgrade: { sql: null, reason: "line 7 asks" } })]);
    const text = describeAll(plan(rows(), { lock: unrendered }));
    assert.match(text, /tables unknown; reversible\n +SQL unknown without a database: line 7 asks/);
  });

  it("says what a person has to do, and no more", () => {
    const text = describeAll(plan(rows("zz")));
    assert.match(text, /^Database is at zz, which is not in the lockfile \(3 revisions\)\.\nDeploy a release/);
    assert.ok(!text.includes("Pending") && !text.includes("Job"));
  });
});
