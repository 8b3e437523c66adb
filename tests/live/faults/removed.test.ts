import assert from "node:assert/strict";
import { workloadSelector } from "../../../src/cluster/pods.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const stack = new FaultStack("removed");
const { kubectl } = stack.live;
const jobs = workloadSelector("unity-db-migrate");

describe("an object that is deleted", () => {
  let ninth: NinthRelease;

  before(async () => {
    [ninth] = await Promise.all([ninthRelease(), stack.deploy()]);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  /** Runs `up`, and removes something while its Job waits amid its changes. */
  async function upWhile(remove: () => Promise<unknown>) {
    const release = await stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.run("up", ninth);
    await stack.until(() => stack.isWaitingAt(gate));
    await remove();
    await release();
    return running;
  }

  it("F19: a Job that is deleted while it migrates fails `up`", async () => {
    await stack.inject({
      name: "F19 Job deleted while it migrates",
      messages: [/Job unity-db-migrate-\S+ .*(gone|deleted)/],
      up: () => upWhile(() => kubectl.run(["delete", "jobs", jobs, "--cascade=foreground"], "", 60)),
      revisions: [heads.eighth],
    });
    await stack.recover(ninth);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
  });

  it("F19: pods that are all killed while the Job migrates fail `up`", async () => {
    await stack.alembic("downgrade", heads.eighth);
    await stack.inject({
      name: "F19 all pods killed while it migrates",
      messages: [/Job unity-db-migrate-\S+ failed/],
      up: () => upWhile(() => kubectl.run(["delete", "pods", "--all", "--grace-period=0", "--force"], "", 60)),
      keepsServing: false,
      // A container outlives its pod's object for a moment, in which it may get to the end.
      revisions: [heads.eighth, heads.ninth],
    });
    await stack.recover(ninth);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
  });

  it("F19: a complete Job that is deleted is created again, and migrates nothing", async () => {
    await kubectl.run(["delete", "jobs", jobs], "", 60);
    const output = await stack.recover(ninth);
    assert.match(output, /Database is up to date/);
    assert.match(output, /Job unity-db-migrate-\S+ will be created: unity-db-migrate-\S+ was deleted/);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
  });
});
