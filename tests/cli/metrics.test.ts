import assert from "node:assert/strict";
import { openMetrics } from "../../src/cli/metrics.ts";
import type { DriftReport } from "../../src/plan/drift.ts";
import type { LiveState } from "../../src/plan/live-state.ts";
import type { RunRecord } from "../../src/plan/run-record.ts";

const lastRun: RunRecord = {
  id: 7,
  startedAt: "2026-11-30T10:00:00+00:00",
  finishedAt: "2026-11-30T10:00:02.5+00:00",
  direction: "upgrade",
  from: ["a"],
  to: ["a"],
  target: ["b"],
  image: "registry.example/app:1",
  planHash: "v4-0",
  outcome: "failed",
  error: "password hunter2",
  runner: "pod",
  blockedSeconds: 1.5,
};
const measure = (state: LiveState, run?: RunRecord, drift: DriftReport | null = null) =>
  openMetrics({ app: 'no"tes', target: { context: "c", namespace: "n" }, state, total: 3, drift, lastRun: run });

/** Returns the samples without their common labels. */
const samples = async (...given: Parameters<typeof measure>) =>
  (await measure(...given))
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) =>
      line
        .replace("pulumi_alembic_", "")
        .replace(/,?app="no\\"tes",namespace="n"/, "")
        .replace("{}", ""),
    );

describe("metrics of a database", () => {
  it("say how far it is behind, and how the last migration ended, without its error", async () => {
    assert.deepEqual(await samples({ kind: "behind", revisions: ["a"], pending: 2 }, lastRun), [
      "database_readable 1",
      "revisions_behind 2",
      'revision{revision="a"} 1',
      "last_run_start_timestamp_seconds 1796032800",
      'last_run{direction="upgrade",outcome="failed"} 1',
      "last_run_seconds 2.5",
      "last_run_blocked_seconds 1.5",
    ]);
  });

  it("count the differences of the schema, if they are known", async () => {
    const drift: DriftReport = { revision: "b", missing: ["- a"], extra: ["+ b", "+ c"], different: [], ignored: 4 };
    const state: LiveState = { kind: "at-head", revision: "b" };
    assert.equal((await samples(state, undefined, drift)).at(-1), "drift 3");
    assert.equal((await samples(state, undefined, { reason: "r", command: null })).at(-1), 'revision{revision="b"} 1');
  });

  it("leave out what is not known", async () => {
    const running = { finishedAt: null, outcome: "running", blockedSeconds: null } as const;
    const unreachable: LiveState = { kind: "unreachable", what: "database", cause: "password hunter2" };
    assert.deepEqual(await samples(unreachable), ["database_readable 0"]);
    assert.deepEqual(await samples({ kind: "never-applied" }, { ...lastRun, ...running }), [
      "database_readable 1",
      "revisions_behind 3",
      "last_run_start_timestamp_seconds 1796032800",
      'last_run{direction="upgrade",outcome="running"} 1',
    ]);
  });

  it("are OpenMetrics: described, escaped, and ended", async () => {
    const text = await measure({ kind: "at-head", revision: "b" });
    assert.match(
      text,
      /^# HELP pulumi_alembic_database_readable Whether .*\.\n# TYPE pulumi_alembic_database_readable gauge\n/,
    );
    assert.match(text, /app="no\\"tes"/);
    assert.match(text, /\n# EOF$/);
  });
});
