import assert from "node:assert/strict";
import { head, lockDigest } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { lockFile, projectRoot } from "../../src/paths.ts";
import { checkTarget } from "../support/checks.ts";
import { Scratch, stepsOf } from "./support.ts";

const lock = readLock(lockFile);
const release = {
  environment: "staging",
  head: head(lock),
  chain: lockDigest(lock),
  sql: "sql",
  runner: "runner",
  image: "unity@sha256:1",
  migrationImage: "unity@sha256:1",
  jobName: "job",
  configMapName: "runner",
};

describe("the verified release in an engine's state", () => {
  const scratch = new Scratch("verification");
  after(() => scratch.remove());

  /** Declares a release whose only check needs no cluster. */
  function declare(changes: Partial<typeof release>): void {
    const declared = { ...release, ...changes };
    const target = checkTarget({ context: "none", head: head(lock), checks: ["reversible"], release: declared });
    scratch.settings({ root: projectRoot, target });
  }
  const update = async (changes: Partial<typeof release>) => {
    declare(changes);
    return scratch.run("up");
  };

  it("is the declared one once the checks have run, and is kept without a change", async () => {
    assert.deepEqual((await update({})).outputs.release, release);
    assert.deepEqual(stepsOf(await update({})), []);
  });

  it("stays the last verified one if the next one fails its checks", async () => {
    const failed = await update({ image: "unity@sha256:2", chain: "other" });
    assert.equal(failed.exit, 4);
    assert.match(scratch.text, /the lockfile changed during the update; run: pulumi up\n/);
    assert.match(scratch.storedText(), /sha256:1/);
    assert.doesNotMatch(scratch.storedText(), /sha256:2/);
  });

  it("is the next one once that has passed", async () => {
    const next = { image: "unity@sha256:2" };
    const result = await update(next);
    assert.deepEqual(stepsOf(result), ["update verification-checks"]);
    assert.deepEqual(result.outputs.release, { ...release, ...next });
  });
});
