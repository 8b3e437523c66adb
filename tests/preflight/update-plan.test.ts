import assert from "node:assert/strict";
import { type Adoption, noAdoption } from "../../src/adoption/adoption.ts";
import type { Reading } from "../../src/plan/live-state.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { combinePlans, describeUpdate } from "../../src/preflight/update-plan.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

const adoption: Adoption = { ...noAdoption, objects: [{ object: "service/s", preserves: [], changes: [] }] };
const rejectedAdoption: Adoption = { ...adoption, rejected: ["Service s has no selector."] };

function combine(row: string, adopted: Adoption, pinnedHash?: string) {
  const reading: Reading = { kind: "rows", rows: [row] };
  const target = { context: "here", namespace: "unity" };
  const inputs = {
    lock: linearLock("a", "b"),
    image: "i",
    firstJobName: "job-1",
    jobs: [],
    pods: [],
    approvals: [],
    target,
  };
  return combinePlans(makePlan({ ...inputs, reading, pinnedHash }), adopted);
}

describe("the plan of an update", () => {
  it("declares no Job if the plan or the adoption is rejected", () => {
    const jobs = [
      combine("a", adoption),
      combine("a", rejectedAdoption),
      combine("a", adoption, "0".repeat(16)),
      combine("zz", adoption),
    ].map(({ job }) => job?.name);
    assert.deepEqual(jobs, ["job-1", undefined, undefined, undefined]);
  });

  it("describes existing resources between the Job and the rejections", () => {
    assert.match(describeUpdate(combine("a", adoption)), /^Database [\s\S]*\nJob job-1 .*\n.*\n {2}service\/s$/);
    const rejected = describeUpdate(combine("a", rejectedAdoption, "0".repeat(16)));
    assert.match(rejected, /\n {2}service\/s\n.*\n {2}Service s has no selector\.\nplan is stale: /);
  });

  it("describes only the rejection of an adoption if manual action is required", () => {
    const text = describeUpdate(combine("zz", rejectedAdoption));
    assert.doesNotMatch(text, /service\/s/);
    assert.match(text, /\n {2}Service s has no selector\.$/);
  });
});
