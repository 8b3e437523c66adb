import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "../../../local/pulumi.ts";
import { gate, heads } from "../../fixtures/chains/ninth.ts";
import { type ApiProxy, startApiProxy } from "../../support/api-proxy.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const stack = new FaultStack("api-server", {
  statementTimeoutSeconds: "150",
  deadlineSeconds: "200",
  awaitTimeoutSeconds: "240",
});
const { kubectl } = stack.live;

describe("an API server", () => {
  let ninth: NinthRelease;
  let proxy: ApiProxy | undefined;

  before(async () => {
    [ninth, proxy] = await Promise.all([ninthRelease(), startApiProxy(kubectl), stack.deploy()]);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('gate')");
  });
  after(async () => {
    ninth?.remove();
    await proxy?.end();
    await stack.end();
  });

  const up = (): Promise<Run> => stack.run("up", { ...ninth, kubeconfig: proxy?.kubeconfig });
  const revision = () => stack.psql("SELECT version_num FROM alembic_version");

  it("F17: down at the start is reported, and nothing changes", async () => {
    await proxy?.cut();
    await stack.inject({
      name: "F17 API server down",
      messages: [/Can't connect to the cluster \(context \S+\): .*refused/, /To test the connection, run: kubectl/],
      up,
      revisions: [heads.eighth],
    });
    await proxy?.restore();
  });

  it("F16: down for a while during the Job's wait is waited for", async () => {
    const release = await stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F16 API server away for 8 s, until `up` is done", up);
    await stack.until(() => stack.isWaitingAt(gate));
    await proxy?.cut();
    await delay(8000);
    await proxy?.restore();
    await release();
    const { exitCode, output } = await running;
    assert.equal(exitCode, 0, output);
    assert.equal(await revision(), heads.ninth);
    await stack.recover(ninth);
  });

  it("F17: down during the wait ends `up`, and the next `up` waits for the same Job", async () => {
    await stack.alembic("downgrade", heads.eighth);
    const release = await stack.hold(`SELECT pg_advisory_xact_lock(${gate})`);
    const running = stack.timed("F17 API server down during the wait", up);
    await stack.until(() => stack.isWaitingAt(gate));
    await proxy?.cut();
    const { exitCode, output } = await running;
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /can't query the cluster: [\s\S]*refused/);
    await proxy?.restore();
    const next = stack.recover(ninth);
    await release();
    assert.match(await next, /is already running; `up` will wait for it|is unchanged: already complete/);
    assert.equal(await revision(), heads.ninth);
  });
});
