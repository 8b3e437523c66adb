import assert from "node:assert/strict";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { configMapError, readRunnerFiles, runnerConfigMapData } from "../../src/manifests/runner-files.ts";
import { linearLock } from "../fixtures/chains/locks.ts";

const kubectl = new Kubectl({ context: process.env.UNITY_CONTEXT ?? "", namespace: "default" });
const runnerFiles = readRunnerFiles();

describe("a long chain", () => {
  const lockOf = (length: number) => linearLock(...Array.from({ length }, (_, index) => `revision_${index}`));

  /** Applies the runner's ConfigMap without a change of the cluster. */
  async function apply(length: number, ...flags: readonly string[]): Promise<void> {
    const data = runnerConfigMapData({ lock: lockOf(length), runnerFiles });
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "long-chain" }, data };
    await kubectl.run(["apply", "--dry-run=server", "--filename=-", ...flags], JSON.stringify(object));
  }

  it("is accepted by the API server up to the size that `pulumi-alembic lock` accepts", async () => {
    let length = 2500;
    while (configMapError({ lock: lockOf(length + 50), runnerFiles }) === null) length += 50;
    await apply(length, "--server-side");
    await assert.rejects(apply(length + 50, "--server-side"), /may not be more than 1048576 bytes/);
  });

  it("needs a server-side apply, as in the rendered commands", async () => {
    await apply(2500, "--server-side");
    await assert.rejects(apply(2500), /metadata\.annotations: Too long: .*262144/);
  });
});
