import assert from "node:assert/strict";
import { workloadSelector } from "../../../src/cluster/pods.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";
import { liveStack } from "../../support/live.ts";

const stack = new FaultStack("together", { replicas: "1" });
const { kubectl, namespace } = stack.live;

const countOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

describe("parallel migrations, and a change of releases", () => {
  let ninth: NinthRelease;

  before(async () => {
    ninth = await ninthRelease();
    await stack.deploy({ ...ninth, values: { ...ninth.values, replicas: "2" } });
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F7: one init container of several replicas migrates, the others wait for it", async () => {
    await stack.alembic("downgrade", heads.eighth);
    await kubectl.run(["delete", "pods", workloadSelector("unity-backend"), "--wait=true"], "", 60);
    await kubectl.run(["rollout", "status", "deployment/unity-backend", "--timeout=60s"], "", 70);
    const logs = await kubectl.run(["logs", workloadSelector("unity-backend"), "--container=migrate", "--prefix"]);
    assert.equal(countOf(logs, /9\/9 {2}ninth/g), 1, logs);
    assert.equal(countOf(logs, /Database is up to date \(head ninth\)/g), 2, logs);
  });

  it("F7: two parallel `up`, of one stack and of two, migrate once by one Job", async () => {
    await stack.alembic("downgrade", heads.eighth);
    const { data } = await kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const databasePassword = Buffer.from(data.POSTGRES_PASSWORD ?? "", "base64").toString();
    const other = liveStack("faults-together-again");
    // The first stack's number of replicas: another one, added while the release changes, would be of the old release.
    const [owner, otherOwner] = [stack.live, other].map(({ name }) => `unity/${name}`);
    const values = { ...ninth.values, replicas: "2", namespace, databasePassword, adoptFrom: owner ?? "" };
    const engine = await other.engine(values, ninth.folder);
    // Whichever is the first to declare them, the objects are those of both.
    const shared = { ...ninth, values: { ...ninth.values, adoptFrom: otherOwner ?? "" } };
    const [one, locked, another] = await stack
      .timed("F7 parallel `up`, until all are done", () =>
        Promise.all([stack.run("up", shared), stack.run("up", shared), engine.run("up")]),
      )
      .finally(() => other.forget());
    assert.deepEqual([one.exitCode === 0, locked.exitCode === 0].sort(), [false, true], one.output + locked.output);
    assert.equal(another.exitCode, 0, another.output);
    const jobs = await kubectl.run(["get", "jobs", workloadSelector("unity-db-migrate"), "--output=name"]);
    const logs = await kubectl.run(["logs", jobs.trim()]);
    assert.equal(countOf(logs, /9\/9 {2}ninth/g), 1, logs);
    const owned = "jobs,deployments,services,persistentvolumeclaims,serviceaccounts";
    await kubectl.run(["annotate", owned, "--all", "--overwrite", `pulumi-alembic/owner=${owner}`]);
    await stack.recover({ ...ninth, values: { ...ninth.values, adoptFrom: "" } });
  });

  it("F4: a database that is down for a while is retried", async () => {
    await stack.alembic("downgrade", heads.eighth);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
    const release = await stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F4 database down, until `up` is done, and a preview", () => stack.recover(ninth));
    await stack.until(() => stack.isWaitingAt(gate));
    await kubectl.run(["scale", "deployment/postgres", "--replicas=0"]);
    await kubectl.run(["delete", "pods", workloadSelector("postgres"), "--grace-period=1"], "", 60);
    const pod = await stack.migratePod();
    const tries = async () => countOf(await kubectl.run(["logs", pod]), /Retrying in/g);
    await stack.until(async () => ((await tries()) >= 6 ? "t" : "f"));
    await kubectl.run(["scale", "deployment/postgres", "--replicas=1"]);
    await Promise.all([running, release()]);
  });

  it("F25: the previous release is rejected at a database ahead, unless tolerated", async () => {
    await stack.psql("DROP TABLE fault");
    await stack.inject({
      name: "F25 database ahead",
      messages: [
        /Database is at ninth, which is not in the lockfile \(8 revisions\)/,
        /config set toleratedRevisions ninth/,
      ],
      up: () => stack.run("up"),
      revisions: [heads.ninth],
    });
    const tolerated = await stack.deploy({ values: { toleratedRevisions: heads.ninth } });
    assert.match(tolerated, /Database is at ninth, ahead of the lockfile and tolerated/);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
    await stack.recover({ ...ninth, values: { ...ninth.values, toleratedRevisions: "" } });
  });
});
