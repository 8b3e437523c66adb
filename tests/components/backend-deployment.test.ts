import assert from "node:assert/strict";
import { BackendDeployment } from "../../components/backend-deployment.ts";
import { backendDeploymentSpec } from "../../src/manifests/backend.ts";
import { backendOptions } from "../support/options.ts";
import { find, record } from "../support/recorder.ts";

describe("BackendDeployment", () => {
  it("declares Deployment and Service without the provider's wait, and a rollout wait", async () => {
    const { registrations, result } = await record(
      {},
      () => new BackendDeployment("backend", { ...backendOptions, namespace: "unity", context: "c", jobName: "job-1" }),
    );
    const own = find(registrations, BackendDeployment.token, "backend");
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "backend");
    const service = find(registrations, "kubernetes:core/v1:Service", "backend-service");
    const wait = find(registrations, "command:local:Command", "backend-rollout");
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "backend-account");
    const disruptionBudget = find(registrations, "kubernetes:policy/v1:PodDisruptionBudget", "backend-budget");
    assert.equal(registrations.length, 6);
    const parents = [deployment, service, wait, account, disruptionBudget].map(({ parent }) => parent);
    assert.deepEqual(new Set(parents), new Set([own.urn]));
    assert.deepEqual(new Set(deployment.dependencies), new Set([service.urn, account.urn]));
    assert.equal(String(account.inputs.automountServiceAccountToken), "false");
    assert.deepEqual(wait.dependencies, [deployment.urn]);
    assert.deepEqual(wait.inputs, {
      interpreter: ["node", "src/cluster/wait/main.ts"],
      create: "rollout",
      stdin: JSON.stringify({ context: "c", namespace: "unity", name: "unity-backend", timeoutSeconds: 270 }),
      triggers: ["backend-uid/1/job-1"],
      logging: "stdout",
      addPreviousOutputInEnv: false,
    });
    assert.deepEqual(deployment.inputs.spec, backendDeploymentSpec(backendOptions));
    const common = { "pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true", "unity/owner": "unity/test" };
    for (const [{ inputs }, expected] of [
      [deployment, { ...common, "pulumi.com/patchFieldManager": "unity" }],
      [service, common],
    ] as const) {
      const { name, annotations } = inputs.metadata as { name: string; annotations: Record<string, string> };
      assert.deepEqual([name, annotations], ["unity-backend", expected]);
    }
    const rollout = await new Promise((resolve) => result.rollout.apply(resolve));
    assert.equal(rollout, "backend-uid/1/job-1");
  });
});
