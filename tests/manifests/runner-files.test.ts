import assert from "node:assert/strict";
import type { Lock } from "../../src/lockfile/lock.ts";
import { configMapError, readRunnerFiles } from "../../src/manifests/runner-files.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

const runnerFiles = readRunnerFiles();
const idOf = (number: number) => `r${String(number).padStart(11, "0")}`;

/** Returns a chain with a title of usual length in each revision. */
function chainOf(length: number): Lock {
  const lock = linearLock(...Array.from({ length }, (_, index) => idOf(index)));
  const title = "Add a table of the executions of plugins";
  return { ...lock, revisions: lock.revisions.map((revision) => ({ ...revision, title })) };
}

describe("the runner's ConfigMap", () => {
  it("has room for 2,500 revisions", () => {
    assert.equal(configMapError({ lock: chainOf(2500), runnerFiles }), null);
  });

  it("is rejected beyond 1 MiB, with the number of revisions that fit", () => {
    const error = configMapError({ lock: chainOf(5000), runnerFiles }) ?? assert.fail("accepted");
    const [, fitting] = /chain of 5000 revisions .* at most 1048576, which is about (\d+) such/.exec(error) ?? [];
    assert.equal(configMapError({ lock: chainOf(Number(fitting) - 10), runnerFiles }), null);
    assert.notEqual(configMapError({ lock: chainOf(Number(fitting) + 10), runnerFiles }), null);
  });

  it("contains the chain twice with a target revision", () => {
    const error = configMapError({ lock: chainOf(2500), runnerFiles, targetRevision: idOf(2400) });
    assert.match(error ?? "", /With unity:targetRevision, it contains the chain twice\./);
  });
});
