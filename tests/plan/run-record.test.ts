import assert from "node:assert/strict";
import { describeRuns, type RunRecord } from "../../src/plan/run-record.ts";

const run: RunRecord = {
  id: 7,
  startedAt: "2026-01-03T10:00:00.25+00:00",
  finishedAt: "2026-01-03T10:00:02.75+00:00",
  direction: "upgrade",
  from: [],
  to: ["b"],
  target: ["c"],
  image: "unity-backend:1",
  planHash: "0123456789abcdef",
  outcome: "succeeded",
  error: null,
  runner: "unity-db-migrate-1-x",
  blockedSeconds: null,
};

describe("describeRuns", () => {
  it("prints time, outcome, revisions, image, and pod", () => {
    assert.equal(
      describeRuns([run]),
      "   7  2026-01-03 10:00:00+00:00  succeeded in 2.5s  upgrade base -> b\n" +
        "      unity-backend:1  plan 0123456789abcdef  unity-db-migrate-1-x",
    );
  });

  it("shows the target of a running run, and the error of a failed one on one line", () => {
    const running = { ...run, outcome: "running", finishedAt: null, to: null } as const;
    assert.match(describeRuns([running]), /running {2}upgrade base -> c\n/);
    const failed = { ...run, outcome: "failed", error: "division by zero\nSQLSTATE 22012" } as const;
    assert.match(
      describeRuns([failed]),
      /failed in 2\.5s {2}upgrade base -> c, stopped at b\n.*\n {6}division by zero \| SQLSTATE 22012$/,
    );
  });

  it("says for how long a run blocked others", () => {
    assert.match(
      describeRuns([{ ...run, blockedSeconds: 1.25 }]),
      /succeeded in 2\.5s \(blocked others for 1\.3s\) {2}upgrade/,
    );
    assert.match(describeRuns([{ ...run, blockedSeconds: 0 }]), /succeeded in 2\.5s {2}upgrade/);
  });

  it("explains an empty table", () => {
    assert.match(describeRuns([]), /^No recorded runs: /);
  });
});
