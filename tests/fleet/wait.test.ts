import assert from "node:assert/strict";
import type { FleetJob } from "../../src/fleet/fleet.ts";
import { describeProgress, type FleetState, nextStep } from "../../src/fleet/wait.ts";

const jobs: readonly FleetJob[] = [
  { tenant: "first", name: "job-first", canary: true },
  { tenant: "second", name: "job-second", canary: true },
  ...["a", "b", "c", "d"].map((tenant) => ({ tenant, name: `job-${tenant}`, canary: false })),
];
/** The states of the jobs in their order. */
const states = (...each: FleetState[]) => new Map(jobs.map(({ name }, index) => [name, each[index] ?? "waiting"]));
const started = (...each: FleetState[]) => nextStep(jobs, states(...each), 3).start.map(({ tenant }) => tenant);

describe("nextStep", () => {
  const cases: [string, FleetState[], string[]][] = [
    ["starts the canaries alone", [], ["first", "second"]],
    ["starts nothing else while a canary runs", ["done", "running"], []],
    ["starts others up to the limit once all canaries are done", ["done", "done"], ["a", "b", "c"]],
    ["starts as many as the limit leaves", ["done", "done", "done", "running", "running"], ["d"]],
    ["starts none where the limit is reached", ["done", "done", "running", "running", "running"], []],
    ["continues after a failure that is not a canary's", ["done", "done", "failed", "running"], ["c", "d"]],
    ["starts no more once a canary has failed", ["failed", "waiting"], []],
    ["counts Jobs that an earlier update left running", ["waiting", "waiting", "running", "running"], ["first"]],
  ];
  for (const [name, each, expected] of cases) it(name, () => assert.deepEqual(started(...each), expected));

  it("is over when no Job is running and none is left to start", () => {
    const over = (...each: FleetState[]) => nextStep(jobs, states(...each), 3).over;
    assert.equal(over("done", "done", "done", "failed", "done", "done"), true);
    assert.equal(over("done", "done", "done", "done", "done", "running"), false);
    assert.equal(over("failed", "running"), false);
    assert.equal(over("failed", "done"), true);
  });
});

describe("describeProgress", () => {
  it("counts done and waiting tenants, and names running and failed ones", () => {
    const line = describeProgress(jobs, states("done", "done", "failed", "running"));
    assert.equal(line, "2/6 tenants done; running: b; 2 waiting; failed: a");
  });
});
