import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { network } from "../../local/cluster/config.ts";
import { run } from "../../local/cluster/run.ts";

/** Interface that is added to the bridge, as a pod's is. */
const added = "unity-test0";

const ownCluster = process.env.UNITY_OWN_CLUSTER === "true";

(ownCluster ? describe : describe.skip)("the pods' network of the local cluster", () => {
  const address = () => readFileSync(`/sys/class/net/${network.bridge}/address`, "utf8").trim();
  const link = (...args: readonly string[]) => run("ip", ["link", ...args]);

  it("keeps the address that all pods know of the machine, when pods come and go", async () => {
    const before = address();
    await link("add", added, "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "unity-test1");
    try {
      await link("set", added, "master", network.bridge);
      assert.equal(address(), before);
    } finally {
      await link("delete", added);
    }
  });
});
