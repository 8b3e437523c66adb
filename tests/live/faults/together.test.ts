import assert from "node:assert/strict";
import { workloadSelector } from "../../../src/cluster/pods.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";
import { liveStack } from "../../support/live.ts";

const stack = new FaultStack("together", { replicas: "1" });
const { kubectl, namespace } = stack.live;

const countOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

describe("several at once, and there and back", () => {
  let ninth: NinthRelease;

  before(async () => {
    ninth = await ninthRelease();
    await stack.deploy({ ...ninth, values: { ...ninth.values, replicas: "2" } });
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F7: of the init containers of several replicas one migrates, the others wait for it", async () => {
    await stack.alembic("downgrade", heads.eighth);
    await kubectl.run(["delete", "pods", workloadSelector("unity-backend"), "--wait=true"], "", 60);
    await kubectl.run(["rollout", "status", "deployment/unity-backend", "--timeout=60s"], "", 70);
    const logs = await kubectl.run(["logs", workloadSelector("unity-backend"), "--container=migrate", "--prefix"]);
    assert.equal(countOf(logs, /9\/9 {2}ninth/g), 1, logs);
    assert.equal(countOf(logs, /Database is at head ninth/g), 2, logs);
  });

  it("F7: two `up` at once, of one stack and of two, make one Job, which migrates once", async () => {
    await stack.alembic("downgrade", heads.eighth);
    const { data } = await kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const databasePassword = Buffer.from(data.POSTGRES_PASSWORD ?? "", "base64").toString();
    const other = liveStack("faults-together-again");
    // As many replicas as the first stack has: to add one while the release changes would start one of the old release.
    const values = { ...ninth.values, replicas: "2", namespace, databasePassword };
    const engine = await other.engine(values, ninth.folder);
    const [one, locked, another] = await stack.timed("F7 two `up` at once, until all are done", () =>
      Promise.all([stack.run("up", ninth), stack.run("up", ninth), engine.run("up")]),
    );
    assert.deepEqual([one.exitCode === 0, locked.exitCode === 0].sort(), [false, true], one.output + locked.output);
    assert.equal(another.exitCode, 0, another.output);
    const jobs = await kubectl.run(["get", "jobs", workloadSelector("unity-db-migrate"), "--output=name"]);
    const logs = await kubectl.run(["logs", jobs.trim()]);
    assert.equal(countOf(logs, /9\/9 {2}ninth/g), 1, logs);
    await stack.mends(ninth);
    other.forget();
  });

  it("F4: a database that is down for a while is waited for", async () => {
    await stack.alembic("downgrade", heads.eighth);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
    const release = await stack.holds(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F4 database down, until `up` is done, and a preview", () => stack.mends(ninth));
    await stack.until(() => stack.isWaitingAt(gate));
    await kubectl.run(["scale", "deployment/postgres", "--replicas=0"]);
    await kubectl.run(["delete", "pods", workloadSelector("postgres"), "--grace-period=1"], "", 60);
    const pod = await stack.migratePod();
    const tries = async () => countOf(await kubectl.run(["logs", pod]), /Trying again/g);
    await stack.until(async () => ((await tries()) >= 6 ? "t" : "f"));
    await kubectl.run(["scale", "deployment/postgres", "--replicas=1"]);
    await Promise.all([running, release()]);
  });

  it("F25: the release before is refused while the database is ahead, unless it tolerates it, and goes there and back", async () => {
    await stack.psql("DROP TABLE fault");
    await stack.suffers({
      name: "F25 database ahead",
      says: [
        /Database is at ninth, which is not in the lockfile \(8 revisions\)/,
        /config set toleratedRevisions ninth/,
      ],
      up: () => stack.run("up"),
      revisions: [heads.ninth],
    });
    const tolerated = await stack.deploy({ values: { toleratedRevisions: heads.ninth } });
    assert.match(tolerated, /Database is at ninth, ahead of the lockfile and tolerated/);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
    await stack.mends({ ...ninth, values: { ...ninth.values, toleratedRevisions: "" } });
  });
});
