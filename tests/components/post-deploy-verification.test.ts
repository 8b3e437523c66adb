import assert from "node:assert/strict";
import { PostDeployVerification } from "../../components/post-deploy-verification.ts";
import { checkNames } from "../../src/checks/names.ts";
import { find, record } from "../support/recorder.ts";

const target = { context: "c", namespace: "unity", head: "r1", toleratedRevisions: [], owned: true };

describe("PostDeployVerification", () => {
  it("declares a command for all checks, rerun by every rollout, with results by name", async () => {
    const { registrations, result } = await record(
      {},
      () => new PostDeployVerification("verification", { target, rollout: "uid/7" }),
    );
    assert.equal(registrations.length, 2);
    const { inputs, parent } = find(registrations, "command:local:Command", "verification-checks");
    assert.equal(parent, find(registrations, PostDeployVerification.token, "verification").urn);
    assert.deepEqual(inputs, {
      interpreter: ["node", "src/checks/main.ts"],
      create: "all",
      environment: { UNITY_CHECKS: JSON.stringify(target) },
      triggers: ["uid/7"],
      logging: "none",
      addPreviousOutputInEnv: false,
    });
    const results = await new Promise<object>((resolve) => result.results.apply(resolve));
    assert.deepEqual(results, Object.fromEntries(checkNames.map((name) => [name, { name, passed: true }])));
  });
});
