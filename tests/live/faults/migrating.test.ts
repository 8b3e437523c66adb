import assert from "node:assert/strict";
import { workloadSelector } from "../../../src/cluster/pods.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";
import { startProbe } from "../../support/probe.ts";

const times = {
  lockTimeoutSeconds: "2",
  statementTimeoutSeconds: "60",
  deadlineSeconds: "90",
  awaitTimeoutSeconds: "120",
};
const stack = new FaultStack("migrating", times);
const { kubectl, namespace } = stack.live;

const atTheGate = () => stack.isWaitingAt(gate);
const log = async () => kubectl.run(["logs", await stack.migratePod()]);
/** Chooses what the ninth revision does. */
const choose = (what: "memory" | "gate") => stack.psql(`DELETE FROM fault; INSERT INTO fault VALUES ('${what}')`);
/**
 * Keeps the ninth revision amid its changes.
 *
 * @returns A function that lets it continue.
 */
const holdGate = async () => {
  await choose("gate");
  return stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
};
const column = () => stack.psql("SELECT count(*) FROM pg_attribute WHERE attname = 'ninth' AND attnum > 0");

describe("a fault during a migration", () => {
  let ninth: NinthRelease;

  before(async () => {
    [ninth] = await Promise.all([ninthRelease(), stack.deploy()]);
    await stack.psql("CREATE TABLE fault (what text)");
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F3: a pod that runs out of memory is reported as such", async () => {
    await choose("memory");
    await stack.inject({
      name: "F3 out of memory",
      messages: [/container "migrate" .* ran out of memory \[OOMKilled\], limit 512Mi/, /Job .* failed/],
      up: () => stack.run("up", ninth),
      revisions: [heads.eighth],
    });
    assert.equal(await column(), "0");
  });

  it("F2: a pod that is killed amid its changes is rolled back; the next `up` succeeds", async () => {
    const release = await holdGate();
    await stack.inject({
      name: "F2 migrate pod killed",
      messages: [/Job unity-db-migrate-\S+ failed/],
      async up() {
        const running = stack.run("up", ninth);
        await stack.until(atTheGate);
        // Waits until its container has ended: otherwise it would continue as soon as it can.
        await kubectl.run(["delete", await stack.migratePod(), "--grace-period=1"], "", 60);
        await release();
        return running;
      },
      revisions: [heads.eighth],
    });
    assert.equal(await column(), "0");
    await stack.recover(ninth);
    assert.equal(await column(), "1");
  });

  it("F5: a terminated connection is retried", async () => {
    await stack.alembic("downgrade", heads.eighth);
    const release = await holdGate();
    const running = stack.timed("F5 connection cut, until `up` is done, and a preview", () => stack.recover(ninth));
    const sessions = "FROM pg_stat_activity WHERE application_name LIKE 'alembic-migrate%' AND wait_event = 'advisory'";
    await stack.until(() => stack.psql(`SELECT count(pg_terminate_backend(pid)) = 1 ${sessions}`));
    await stack.until(async () => (/rolled back[\s\S]*Retrying in/.test(await log()) ? "t" : "f"));
    await release();
    await running;
    assert.equal(await column(), "1");
  });

  it("F6: a table that the app has locked is retried, without blocking readers", async () => {
    await choose("gate");
    await stack.alembic("downgrade", heads.eighth);
    const release = await stack.hold("LOCK TABLE plugins IN ROW EXCLUSIVE MODE");
    await using probe = await startProbe(kubectl, namespace);
    const running = stack.timed("F6 table locked, until `up` is done, and a preview", () => stack.recover(ninth));
    await stack.until(async () => (/SQLSTATE 55P03[\s\S]*Retrying in/.test(await log()) ? "t" : "f"));
    await release();
    await running;
    assert.deepEqual((await probe.stop()).failures, []);
    assert.equal(await column(), "1");
  });

  it("F13: a deadlock is retried", async () => {
    await stack.alembic("downgrade", heads.eighth);
    // Holds the gate, and as soon as the migration waits there, waits for the table that it creates: a deadlock, which
    // the migration is the first to detect.
    const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${gate} AND NOT granted`;
    const circle = stack.psql(
      `SET deadlock_timeout = '60s'; BEGIN; SELECT pg_advisory_xact_lock(${gate}); DO $$ BEGIN
       WHILE NOT EXISTS (${waiting}) LOOP PERFORM pg_sleep(0.05); END LOOP;
       CREATE TABLE ninths (); RAISE EXCEPTION 'let go'; END $$`,
    );
    const ended = assert.rejects(circle, /let go/);
    const holding = `SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${gate} AND granted`;
    await stack.until(() => stack.psql(holding));
    await stack.timed("F13 deadlock, until `up` is done, and a preview", () => stack.recover(ninth));
    await ended;
    const logs = await kubectl.run(["logs", workloadSelector("unity-db-migrate"), "--tail=-1"]);
    assert.match(logs, /SQLSTATE 40P01[\s\S]*Retrying in[\s\S]*9\/9 {2}ninth/);
    assert.equal(await column(), "1");
  });

  for (const [number, signal] of [
    ["F14", "SIGINT"],
    ["F15", "SIGKILL"],
  ] as const) {
    it(`${number}: after \`up\` is ended by ${signal}, the next one waits for the same Job`, async () => {
      await stack.alembic("downgrade", heads.eighth);
      const release = await holdGate();
      const stop = new AbortController();
      const running = stack.run("up", ninth, [], stop.signal);
      await stack.until(async () => ((await stack.migratePod()) === "" ? "f" : "t"));
      const pod = await stack.migratePod();
      stop.abort(signal);
      assert.notEqual((await running).exitCode, 0);
      await (await stack.live.engine()).unlock();
      const next = stack.timed(`${number} ended by ${signal}, until the next \`up\` is done`, () =>
        stack.recover(ninth),
      );
      await release();
      assert.match(await next, /is already running; `up` will wait for it|is unchanged: already complete/);
      assert.match(await kubectl.run(["logs", pod]), /9\/9 {2}ninth/);
      assert.equal(await column(), "1");
    });
  }
});
