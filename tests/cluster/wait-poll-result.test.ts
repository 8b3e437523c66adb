import assert from "node:assert/strict";
import type { Cause } from "../../src/cluster/causes.ts";
import { type PollResult, Progress } from "../../src/cluster/wait/poll-result.ts";

const cause = (key: string, gracePeriodSeconds: number, text = key): Cause => ({
  key,
  text,
  gracePeriodSeconds,
  kubectlArgs: [],
});
const result = (...causes: Cause[]): PollResult => ({ done: false, progress: "0 of 1", causes });
const transient = cause("transient", Number.POSITIVE_INFINITY, "it may\n  disappear");

describe("Progress", () => {
  it("fails at once without a grace period", () => {
    const failure = new Progress(60).failure(result(transient, cause("fatal", 0)), 0);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["failed after 0s", "fatal"]);
  });
  it("fails when a cause has lasted for its grace period without a break", () => {
    const progress = new Progress(60);
    const quota = result(cause("quota", 10));
    assert.equal(progress.failure(quota, 0), undefined);
    assert.equal(progress.failure(quota, 9), undefined);
    assert.equal(progress.failure(result(), 9.5), undefined);
    assert.equal(progress.failure(quota, 10), undefined);
    assert.equal(progress.failure(quota, 20)?.cause?.key, "quota");
  });
  it("waits for a transient cause until the timeout, and names it then", () => {
    const progress = new Progress(60);
    assert.equal(progress.failure(result(transient), 59), undefined);
    const failure = progress.failure(result(transient), 60);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["timed out after 60s", "transient"]);
  });
  it("names the last cause when the Job has failed and its pod is deleted", () => {
    const progress = new Progress(60);
    progress.failure(result(transient), 1);
    const failure = progress.failure({ ...result(), failed: "deadline" }, 2);
    assert.deepEqual([failure?.message, failure?.cause?.key], ["failed after 2s: deadline", "transient"]);
  });
  it("prints a lasting cause in one line, once for all pods", () => {
    const progress = new Progress(60);
    progress.failure(result(transient), 1);
    assert.equal(progress.line(result(transient), 3).text, "0 of 1");
    const { key, text } = progress.line(result(transient), 6);
    assert.equal(text, "0 of 1; it may disappear");
    assert.equal(progress.line(result({ ...transient, text: "another pod" }), 7).key, key);
  });
});
