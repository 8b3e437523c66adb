import assert from "node:assert/strict";
import { FaultStack } from "../../support/faults.ts";
import { startLoad } from "../../support/load.ts";

const stack = new FaultStack("load", { replicas: "2" });
const least = { requests: 10_000, rollouts: 2 } as const;

describe("a rolling change under constant load", () => {
  before(async function () {
    // A Service's address can be reached from the node only, which is this machine if the cluster is the project's.
    if (process.env.UNITY_OWN_CLUSTER !== "true") return this.skip();
    await stack.deploy();
  });
  after(() => stack.end());

  it("fails none of ten thousand requests", async () => {
    const where = ["get", "service", "unity-backend", "--output=jsonpath={.spec.clusterIP}"];
    const url = `http://${await stack.live.kubectl.run(where)}:8000/api/plugins`;
    await using load = startLoad(url, 8, 40);
    const started = performance.now();
    let rollouts = 0;
    // Each rollout changes the pods' environment. 8 clients send at most 200 requests per second.
    while (rollouts < least.rollouts || (performance.now() - started) / 1000 < least.requests / 100) {
      rollouts += 1;
      await stack.deploy({ values: { toleratedRevisions: `later${rollouts}` } });
    }
    const { requests, seconds, failures } = await load.stop();
    console.log(
      `load\t${requests} requests in ${seconds.toFixed(0)} s, ${rollouts} rollouts, ${failures.length} failed`,
    );
    assert.deepEqual(failures, []);
    assert.ok(requests >= least.requests, `${requests} requests`);
  });
});
