import assert from "node:assert/strict";
import type { Lock } from "../../src/lockfile/lock.ts";
import type { Reading } from "../../src/plan/live-state.ts";
import { makePlan, type PlanInputs } from "../../src/plan/plan.ts";
import { describePlan } from "../../src/plan/plan-report.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";
import { shortTitle } from "../support/titles.ts";

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
  const nothing = { jobs: [], pods: [], toleratedRevisions: [], approvals: [], pinnedHash: undefined };
  return makePlan({ reading, lock, image: "backend:1", firstJobName: "job-1", ...nothing, target, ...given });
}

describe("makePlan", () => {
  const table: readonly [string, Reading, readonly string[] | null][] = [
    ["the whole chain where nothing is deployed", { kind: "not-deployed" }, ["1 a", "2 b", "3 c"]],
    ["the whole chain to an uninitialized database", rows(), ["1 a", "2 b", "3 c"]],
    ["the rest to a database that is behind", rows("b"), ["3 c"]],
    ["nothing at head", rows("c"), []],
    ["an unknown number to an unreachable database", { kind: "unreachable", what: "database", cause: "down" }, null],
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
    it(shortTitle(`declares no Job for ${JSON.stringify(reading)}`), () => assert.equal(plan(reading).job, null));
  }

  it("declares a Job for a tolerated revision", () => {
    assert.equal(plan(rows("zz"), { toleratedRevisions: ["zz"] }).job?.name, "job-1");
  });

  describe("with a target below the database", () => {
    const back = (reading: Reading, given: Partial<PlanInputs> = {}) =>
      plan(reading, { targetRevision: "b", ...given });

    it("is rejected unless the stack allows downgrades", () => {
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

    it("downgrades to the target if the stack allows it, newest first", () => {
      const { job, direction, pending, head } = back(rows("c"), { targetRevision: "b", allowDowngrade: true });
      assert.deepEqual([job?.action, direction, head], ["run", "downgrade", "b"]);
      assert.deepEqual(
        pending?.map(({ position, id }) => `${position} ${id}`),
        ["3 c"],
      );
    });

    it("rejects irreversible revisions even if downgrades are allowed", () => {
      const { job, rejection } = back(rows("c"), { targetRevision: "a", allowDowngrade: true });
      assert.equal(job, null);
      assert.deepEqual(rejection?.goingBack, [
        "revision b is irreversible: its downgrade is empty. Restore from a restore point instead",
      ]);
    });

    it("requires no approval of applied revisions", () => {
      const findings = [{ rule: "ban-drop-table", level: "error", statement: 0, message: "m", help: null }] as const;
      const risky = lockOf([lockedRevision("a"), lockedRevision("b", { downRevisions: ["a"], findings })]);
      const { rejection } = plan(rows("b"), { lock: risky, targetRevision: "a", allowDowngrade: true });
      assert.equal(rejection, null);
    });

    it("applies only the revisions up to the target", () => {
      const ids = (reading: Reading) => back(reading).pending?.map(({ id }) => id);
      assert.deepEqual([ids(rows()), ids(rows("a")), ids(rows("b"))], [["a", "b"], ["b"], []]);
    });

    it("declares the next attempt if a complete Job's database is beyond the target", () => {
      const jobs = [{ name: "job-1", state: "complete" as const }];
      assert.equal(back(rows("c"), { allowDowngrade: true, jobs }).job?.name, "job-1-2");
    });
  });

  it("plans a chain of 1,000 revisions", () => {
    const thousand = linearLock(...Array.from({ length: 1000 }, (_, index) => `r${index}`));
    assert.equal(plan(rows("r499"), { lock: thousand }).pending?.length, 500);
  });
});

describe("describePlan", () => {
  it("describes tables, statements, reversibility, and the Job", () => {
    assert.equal(
      describePlan(plan(rows("a"))),
      `Database is at a, behind head c.
Pending: 2 of 3 revisions
  2/3  b  Revision b
       creates t_b; irreversible: its downgrade is empty
         CREATE TABLE t_b ();
  3/3  c  Revision c
       creates t_c; alters t_a, t_b; drops t_x; reversible
         ${long.replaceAll(/\s+/g, " ").slice(0, 99)}…
         DROP TABLE t_x;
The running release (a) keeps working during and after this migration
Some statements are truncated. To print them in full, run: npm run unity -- plan --full
Plan hash: ${plan(rows("a")).hash}
Job job-1 will be created: no existing Job`,
    );
  });

  it("prints statements in full on demand", () => {
    const text = describePlan(plan(rows("b")), { full: true });
    for (const line of long.split("\n")) assert.ok(text.includes(`\n         ${line}\n`), line);
    assert.ok(!text.includes("truncated"));
  });

  it("reports a database that is up to date", () => {
    const jobs = [{ name: "job-1", state: "complete" as const }];
    assert.equal(
      describePlan(plan(rows("c"), { jobs })),
      "Database is up to date (head c).\nJob job-1 is unchanged: already complete",
    );
  });

  it("describes a downgrade with its SQL", () => {
    assert.equal(
      describePlan(plan(rows("c"), { targetRevision: "b", allowDowngrade: true })),
      `Database is at c, beyond target b.
To downgrade: 1 of 3 revisions
  3/3  c  Revision c (downgrade)
         DROP TABLE t_c;
Plan hash: ${plan(rows("c"), { targetRevision: "b" }).hash}
Job job-1 will be created: no existing Job`,
    );
  });

  it("shows the SQL of env.py and the files of pending revisions", () => {
    const a = lockedRevision("a", { files: { "alembic/a.csv": "1", "alembic/a.sql": "2" } });
    const lock = { ...lockOf([a]), env: { sql: ["SET search_path TO crm;", "CREATE SCHEMA crm;"] } };
    const text = describePlan(plan(rows(), { lock }));
    assert.match(text, /revisions\n {2}env\.py\n {9}SET search_path TO crm;\n {9}CREATE SCHEMA crm;\n {2}1\/1 {2}a/);
    assert.match(text, /\n {7}creates t_a; reversible\n {7}reads alembic\/a\.csv, alembic\/a\.sql\n/);
    assert.doesNotMatch(describePlan(plan(rows("a"), { lock })), /env\.py|reads/);
    const unknown = { ...lock, env: { sql: null, reason: "line 7 asks" } };
    assert.match(describePlan(plan(rows(), { lock: unknown })), /\n {2}SQL of env\.py is not known: line 7 asks\n/);
  });

  it("explains unknown SQL and tables", () => {
    const unrendered = lockOf([lockedRevision("a", { tables: null, upgrade: { sql: null, reason: "line 7 asks" } })]);
    const text = describePlan(plan(rows(), { lock: unrendered }));
    assert.match(text, /tables unknown; reversible\n +SQL can't be rendered offline: line 7 asks/);
  });

  it("prints only the remediation if the state requires manual action", () => {
    const text = describePlan(plan(rows("zz")));
    assert.match(text, /^Database is at zz, which is not in the lockfile \(3 revisions\)\.\nDeploy a release/);
    assert.ok(!text.includes("Pending") && !text.includes("Job"));
  });

  it("shows the statements of a rehearsal where they can't be rendered, and why", () => {
    const direction = { sql: null, reason: "line 7 asks", rehearsed: ["ALTER TABLE t_a ADD COLUMN n INT;"] };
    const only = lockOf([lockedRevision("a", { tables: null, upgrade: direction, downgrade: direction })]);
    const expected = [
      "         SQL can't be rendered offline: line 7 asks",
      "         Statements of the rehearsal:",
      "         ALTER TABLE t_a ADD COLUMN n INT;",
    ].join("\n");
    const text = describePlan(plan(rows(), { lock: only }));
    assert.ok(text.includes(expected), text);
  });
});
