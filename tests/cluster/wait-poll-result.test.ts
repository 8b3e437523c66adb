import assert from "node:assert/strict";
import type { Cause } from "../../src/cluster/causes.ts";
import { type PollResult, Progress } from "../../src/cluster/wait/poll-result.ts";

const cause = (key: string, patienceSeconds: number, text = key): Cause => ({ key, text, patienceSeconds, poll: [] });
const result = (...causes: Cause[]): PollResult => ({ done: false, progress: "0 of 1", causes });
const passing = cause("passing", Number.POSITIVE_INFINITY, "it may\n  mend itself");

describe("Progress", () => {
  it("stops at once at what has no patience", () => {
    const failure = new Progress(60).failure(result(passing, cause("fatal", 0)), 0);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["can't go on", "fatal"]);
  });
  it("stops when a fault has lasted as long as it may, without a break", () => {
    const progress = new Progress(60);
    const quota = result(cause("quota", 10));
    assert.equal(progress.failure(quota, 0), undefined);
    assert.equal(progress.failure(quota, 9), undefined);
    assert.equal(progress.failure(result(), 9.5), undefined);
    assert.equal(progress.failure(quota, 10), undefined);
    assert.equal(progress.failure(quota, 20)?.cause?.key, "quota");
  });
  it("waits to the end for what may mend itself, and names it then", () => {
    const progress = new Progress(60);
    assert.equal(progress.failure(result(passing), 59), undefined);
    const failure = progress.failure(result(passing), 60);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["is not done within 60 s", "passing"]);
  });
  it("ends with what was last seen when it has failed and its pod is gone", () => {
    const progress = new Progress(60);
    progress.failure(result(passing), 1);
    const failure = progress.failure({ ...result(), failed: "deadline" }, 2);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["failed: deadline", "passing"]);
  });
  it("tells of what lasts, in one line, and once whichever pod it is", () => {
    const progress = new Progress(60);
    progress.failure(result(passing), 1);
    assert.equal(progress.line(result(passing), 3).text, "0 of 1");
    const { key, text } = progress.line(result(passing), 6);
    assert.equal(text, "0 of 1; it may mend itself");
    assert.equal(progress.line(result({ ...passing, text: "another pod" }), 7).key, key);
  });
});
