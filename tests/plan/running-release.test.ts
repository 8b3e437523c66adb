import assert from "node:assert/strict";
import type { PackedChange } from "../../src/lockfile/evidence.ts";
import { breaksRunningRelease, type Lock } from "../../src/lockfile/lock.ts";
import { describeRunningRelease, runningRelease } from "../../src/plan/running-release.ts";
import { workOf } from "../../src/plan/work.ts";
import { lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const breaking = {
  rule: breaksRunningRelease,
  level: "error",
  statement: null,
  message: "A running release may fail.",
  help: null,
} as const;

/** Returns a chain of rehearsed revisions, by their changes; a blocker makes one a breaking revision. */
function chain(
  ...revisions: readonly (readonly [id: string, changes: readonly PackedChange[], blocker?: string])[]
): Lock {
  return lockOf(
    revisions.map(([id, changes, rollbackBlocker = null], index) =>
      lockedRevision(id, {
        downRevisions: index === 0 ? [] : [revisions[index - 1]?.[0] ?? ""],
        rehearsed: { locks: [], changes, downgrade: "complete" },
        rollbackBlocker,
        findings: rollbackBlocker?.startsWith("drops") ? [breaking] : [],
      }),
    ),
  );
}

const column = (table: string, name: string) => ["tables", table, "columns", name] as const;
const lock = chain(
  [
    "a",
    [
      ["+", "tables", "public.users", { kind: "table" }],
      ["+", ...column("public.users", "bio"), { type: "text" }],
    ],
  ],
  ["b", [["+", ...column("public.users", "note"), { type: "text" }]]],
  ["c", [["-", ...column("public.users", "note")]], "drops a column"],
  ["d", [["-", ...column("public.users", "bio")]], "drops another column"],
);

describe("the running release", () => {
  const pending = (from: string) => lock.revisions.slice(lock.revisions.findIndex(({ id }) => id === from) + 1);
  const of = (from: string) => runningRelease(lock, [from], pending(from));

  it("keeps working with what pending revisions add and drop again", () => {
    const until = pending("a").slice(0, 2);
    assert.deepEqual(runningRelease(lock, ["a"], until), { heads: ["a"], breaks: null });
  });

  it("may fail from the first revision on that drops what it uses", () => {
    assert.deepEqual(of("a")?.breaks, { revision: "d", blocker: "drops another column" });
    assert.deepEqual(of("b")?.breaks, { revision: "c", blocker: "drops a column" });
  });

  it("may fail with a revision that changes rows, or was not rehearsed", () => {
    const rows = chain(["a", []], ["b", [], "changes rows of an existing table: UPDATE users"]);
    const after = rows.revisions.slice(1);
    assert.equal(runningRelease(rows, ["a"], after)?.breaks?.revision, "b");
    const unrehearsed = after.map(({ rehearsed: _, ...revision }) => ({ ...revision, findings: [breaking] }));
    const partly = { ...rows, revisions: [...rows.revisions.slice(0, 1), ...unrehearsed] };
    assert.equal(runningRelease(partly, ["a"], unrehearsed)?.breaks?.revision, "b");
  });

  it("doesn't exist while the database has no revision", () =>
    assert.equal(runningRelease(lock, [], pending("")), null));

  it("is described with its revision, and with what breaks it", () => {
    assert.equal(
      describeRunningRelease({ heads: ["a"], breaks: null }),
      "The running release (a) keeps working during and after this migration",
    );
    assert.equal(
      describeRunningRelease({ heads: ["a", "b"], breaks: { revision: "d", blocker: "drops a column" } }),
      "The running release (a, b) may fail from revision d on: drops a column",
    );
  });

  it("requires an approval of what breaks it, and of nothing else", () => {
    const findings = (from: readonly string[]) =>
      workOf(from.length === 0 ? { kind: "never-applied" } : { kind: "behind", revisions: from, pending: 1 }, {
        lock,
        approvals: [],
      }).seen?.flatMap(({ id, findings: own }) => own.map(() => id));
    assert.deepEqual(findings([]), []);
    assert.deepEqual(findings(["a"]), ["d"]);
    assert.deepEqual(findings(["b"]), ["c", "d"]);
  });
});
