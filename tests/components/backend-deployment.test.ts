import assert from "node:assert/strict";
import { BackendDeployment } from "../../components/backend-deployment.ts";
import { backendDeploymentSpec } from "../../manifests/backend.ts";
import { backendOptions } from "../support/options.ts";
import { find, record } from "../support/recorder.ts";

describe("BackendDeployment", () => {
  it("declares the Deployment and a Service that the provider does not wait for", async () => {
    const { registrations, result } = await record(
      {},
      () => new BackendDeployment("backend", { ...backendOptions, namespace: "unity" }),
    );
    const own = find(registrations, BackendDeployment.token, "backend");
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "backend");
    const service = find(registrations, "kubernetes:core/v1:Service", "backend-service");
    assert.equal(registrations.length, 3);
    assert.deepEqual([deployment.parent, service.parent], [own.urn, own.urn]);
    assert.equal(deployment.createTimeout, "270s");
    assert.deepEqual(deployment.inputs.spec, backendDeploymentSpec(backendOptions));
    const { name, annotations } = service.inputs.metadata as { name: string; annotations: Record<string, string> };
    assert.deepEqual(
      [name, annotations],
      ["unity-backend", { "pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true" }],
    );
    const rollout = await new Promise((resolve) => result.rollout.apply(resolve));
    assert.equal(rollout, "backend-uid/1");
  });
});
