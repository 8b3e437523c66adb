import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "../../../local/pulumi.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { type ApiProxy, apiProxy } from "../../support/api-proxy.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const stack = new FaultStack("api-server", {
  statementTimeoutSeconds: "150",
  deadlineSeconds: "200",
  awaitTimeoutSeconds: "240",
});
const { kubectl } = stack.live;

describe("an API server that goes away", () => {
  let ninth: NinthRelease;
  let proxy: ApiProxy;

  before(async () => {
    [ninth, proxy] = await Promise.all([ninthRelease(), apiProxy(kubectl), stack.deploy()]);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
  });
  after(async () => {
    ninth?.remove();
    await proxy.end();
    await stack.end();
  });

  const up = (): Promise<Run> => stack.run("up", { ...ninth, kubeconfig: proxy.kubeconfig });
  const revision = () => stack.psql("SELECT version_num FROM alembic_version");

  it("F17: one that is down at the start is named, and nothing is done", async () => {
    await proxy.cuts();
    await stack.suffers({
      name: "F17 API server down",
      says: [/Can't connect to the cluster \(context \S+\): .*refused/, /To test the connection, run: kubectl/],
      up,
      revisions: [heads.eighth],
    });
    await proxy.opens();
  });

  it("F16: one that is away for a while during the wait for the Job is waited for", async () => {
    const release = await stack.holds(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F16 API server away for 8 s, until `up` is done", up);
    await stack.until(() => stack.isWaitingAt(gate));
    await proxy.cuts();
    await delay(8000);
    await proxy.opens();
    await release();
    const { exitCode, output } = await running;
    assert.equal(exitCode, 0, output);
    assert.equal(await revision(), heads.ninth);
    await stack.mends(ninth);
  });

  it("F17: one that does not come back ends `up`; the migration goes on, and the next `up` takes it up", async () => {
    await stack.alembic("downgrade", heads.eighth);
    const release = await stack.holds(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F17 API server down during the wait", up);
    await stack.until(() => stack.isWaitingAt(gate));
    await proxy.cuts();
    const { exitCode, output } = await running;
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /does not answer|can't be (asked|reached)|refused/);
    await proxy.opens();
    const next = stack.mends(ninth);
    await release();
    assert.match(await next, /will be awaited: already running|is unchanged: already complete/);
    assert.equal(await revision(), heads.ninth);
  });
});
