import assert from "node:assert/strict";
import { classify, type LiveState, type Reading, requiresManualAction } from "../../src/plan/live-state.ts";
import type { RollbackWindow } from "../../src/plan/rollback-window.ts";
import { describeState } from "../../src/plan/state-report.ts";
import { linearLock, lockedRevision, lockOf } from "../fixtures/chains/locks.ts";

const line = linearLock("a", "b", "c");
/** a - b - m and a - c - m. */
const diamond = lockOf([
  lockedRevision("a"),
  lockedRevision("b", { downRevisions: ["a"] }),
  lockedRevision("c", { downRevisions: ["a"] }),
  lockedRevision("m", { downRevisions: ["b", "c"] }),
]);
const rows = (...found: readonly string[]): Reading => ({ kind: "rows", rows: found });
const down = { kind: "unreachable", what: "database", cause: "refused" } as const;
const lost = { kind: "unreachable", what: "cluster", cause: "no such context" } as const;

const window = (...heads: readonly string[]): RollbackWindow => ({
  image: "shop:2.0",
  startedAt: "2026-11-30T10:00:00+00:00",
  heads,
  end: { revision: "x", blocker: "drops what earlier code may use: DROP TABLE t" },
});

describe("classify by the rollback window", () => {
  const at = (found: RollbackWindow, ...rows: readonly string[]): Reading => ({ kind: "rows", rows, window: found });
  const open = window("b", "c");
  const closed = window("x");

  it("is ahead if the record names the head, and unknown if it doesn't", () => {
    assert.deepEqual(classify(at(open, "zz"), line), { kind: "ahead", revisions: ["zz"], window: open });
    assert.deepEqual(classify(at(closed, "zz"), line), { kind: "unknown-revision", revisions: ["zz"], window: closed });
    const several = { kind: "unknown-revision", revisions: ["yy", "zz"], window: open };
    assert.deepEqual(classify(at(open, "yy", "zz"), line), several);
  });

  it("is by the target of the stack, not by the lockfile's head", () => {
    assert.equal(classify(at(open, "zz"), line, { targetRevision: "b" }).kind, "ahead");
    assert.equal(classify(at(open, "zz"), line, { targetRevision: "a" }).kind, "unknown-revision");
  });

  it("never outdoes the settings", () => {
    const state = classify(at(closed, "next"), line, { toleratedRevisions: ["next"] });
    assert.deepEqual(state, { kind: "ahead", revisions: ["next"] });
  });

  it("is described with the release, the reason, and the setting", () => {
    const ahead = describeState(classify(at(open, "zz"), line), line, { context: "here", namespace: "there" });
    assert.match(
      ahead.message,
      /ahead of the lockfile\. According to the run record, this release \(head c\) still works\.$/,
    );
    const unknown = describeState(classify(at(closed, "zz"), line), line, { context: "here", namespace: "there" });
    assert.match(unknown.message, /not in the lockfile \(3 revisions\)\. shop:2\.0 applied it at 2026-11-30T10:00:00/);
    assert.match(unknown.message, /This release \(head c\) may fail because of revision x: drops .*: DROP TABLE t\.$/);
    assert.match(unknown.remediation, /pulumi config set toleratedRevisions zz/);
    const silent = describeState(classify(at({ ...closed, image: "", end: null }, "zz"), line), line, {
      context: "here",
      namespace: "there",
    });
    assert.match(
      silent.message,
      /An unnamed image applied it .* does not say whether the code of head c keeps working/,
    );
  });
});

describe("classify", () => {
  const table: readonly [string, Reading, LiveState, typeof line?][] = [
    ["no pod", { kind: "not-deployed" }, { kind: "not-deployed" }],
    ["no table alembic_version", { kind: "rows", rows: null }, { kind: "never-applied" }],
    ["an empty alembic_version", rows(), { kind: "never-applied" }],
    ["the base", rows("a"), { kind: "behind", revisions: ["a"], pending: 2 }],
    ["a revision in between", rows("b"), { kind: "behind", revisions: ["b"], pending: 1 }],
    ["the head", rows("c"), { kind: "at-head", revision: "c" }],
    ["a tolerated revision", rows("next"), { kind: "ahead", revisions: ["next"] }],
    ["another revision", rows("zz"), { kind: "unknown-revision", revisions: ["zz"] }],
    ["the head and another revision", rows("c", "zz"), { kind: "unknown-revision", revisions: ["zz"] }],
    [
      "two rows of one branch",
      rows("b", "c"),
      { kind: "overlapping-revisions", revisions: ["b", "c"], implied: ["b"] },
    ],
    [
      "a tolerated revision and a known one",
      rows("c", "next"),
      { kind: "overlapping-revisions", revisions: ["c", "next"], implied: ["c"] },
    ],
    ["two branches before their merge", rows("b", "c"), { kind: "behind", revisions: ["b", "c"], pending: 1 }, diamond],
    ["one branch", rows("b"), { kind: "behind", revisions: ["b"], pending: 2 }, diamond],
    [
      "a merge revision and a branch",
      rows("b", "m"),
      { kind: "overlapping-revisions", revisions: ["b", "m"], implied: ["b"] },
      diamond,
    ],
    ["a database that is down", down, down],
    ["an unknown cluster", lost, lost],
  ];
  for (const [what, reading, expected, lock = line] of table) {
    it(`classifies ${what} as ${expected.kind}`, () =>
      assert.deepEqual(classify(reading, lock, { toleratedRevisions: ["next"] }), expected));
  }

  it("classifies all but the last revision as behind, with the number pending", () => {
    const lock = linearLock(..."abcdefgh");
    const states = [..."abcdefgh"].map((id) => classify(rows(id), lock));
    assert.deepEqual(
      states.map((state) => (state.kind === "behind" ? state.pending : state.kind)),
      [7, 6, 5, 4, 3, 2, 1, "at-head"],
    );
  });
});

describe("classify with a target", () => {
  const table: readonly [string, Reading, LiveState][] = [
    ["below the target", rows("a"), { kind: "behind", revisions: ["a"], pending: 1 }],
    ["at the target", rows("b"), { kind: "at-head", revision: "b" }],
    ["above the target", rows("c"), { kind: "beyond-target", revisions: ["c"], target: "b", undo: 1 }],
  ];
  for (const [what, reading, expected] of table) {
    it(`classifies a database ${what} as ${expected.kind}`, () =>
      assert.deepEqual(classify(reading, line, { targetRevision: "b" }), expected));
  }

  it("describes the target, and the command that reaches it", () => {
    const target = { context: "here", namespace: "unity" };
    const describe = (reading: Reading) => {
      const state = classify(reading, line, { targetRevision: "b" });
      const { message, remediation } = describeState(state, line, target, { targetRevision: "b" });
      return `${message} ${remediation}`;
    };
    assert.match(describe(rows()), /uninitialized.*To apply 2 of 3 revisions, run: pulumi up$/);
    assert.match(describe(rows("a")), /at a, behind target b\..*To apply 1 of 3 revisions, run: pulumi up$/);
    assert.match(describe(rows("b")), /up to date \(target b\)\. No action required\.$/);
    assert.match(
      describe(rows("c")),
      /at c, beyond target b\. To take a restore point and downgrade 1 of 3 revisions, run: pulumi up$/,
    );
  });
});

describe("describeState", () => {
  const target = { context: "here", namespace: "unity" };
  const all: readonly [LiveState, boolean, RegExp][] = [
    [
      { kind: "not-deployed" },
      false,
      /No running workload in namespace unity; .*\nTo apply at most 3 revisions, run: pulumi up$/,
    ],
    [{ kind: "never-applied" }, false, /uninitialized .*\nTo apply 3 revisions, run: pulumi up$/],
    [
      { kind: "behind", revisions: ["b"], pending: 1 },
      false,
      /at b, behind head c\.\nTo apply 1 of 3 revisions, run: pulumi up$/,
    ],
    [{ kind: "at-head", revision: "c" }, false, /up to date \(head c\)\./],
    [{ kind: "ahead", revisions: ["next"] }, false, /at next, ahead of the lockfile and tolerated/],
    [
      { kind: "unknown-revision", revisions: ["zz"] },
      true,
      /at zz, which is not in the lockfile \(3 revisions\)\.\n.*run: pulumi config set toleratedRevisions zz$/,
    ],
    [
      { kind: "overlapping-revisions", revisions: ["b", "c"], implied: ["b"] },
      true,
      /overlapping revisions: b, c\.\n.* \(implied: b\)\. .*alembic current --verbose$/,
    ],
    [down, false, /Can't read the database revision: refused\n.*run: kubectl --context here -n unity get pods$/],
    [lost, true, /Can't connect to the cluster \(context here\): no such context\n.*pulumi config set context <name>$/],
  ];
  for (const [state, stops, text] of all) {
    it(`describes ${"what" in state ? `an unreachable ${state.what}` : state.kind} and how to proceed`, () => {
      const { message, remediation } = describeState(state, line, target);
      assert.match(`${message}\n${remediation}`, text);
      assert.ok(message.length > 0 && remediation.length > 0 && !message.includes("\n"));
      assert.equal(requiresManualAction(state), stops);
    });
  }
});
