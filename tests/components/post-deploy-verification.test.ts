import assert from "node:assert/strict";
import { checkNames } from "../../checks/names.ts";
import { PostDeployVerification } from "../../components/post-deploy-verification.ts";
import { find, record } from "../support/recorder.ts";

const expected = { context: "c", namespace: "unity", head: "r1", toleratedRevisions: [], tables: ["t1"] };

describe("PostDeployVerification", () => {
  it("declares one command a check, run again by every rollout", async () => {
    const { registrations, result } = await record(
      {},
      () => new PostDeployVerification("verification", { expected, rollout: "uid/7" }),
    );
    assert.equal(registrations.length, checkNames.length + 1);
    for (const name of checkNames) {
      const { inputs, parent } = find(registrations, "command:local:Command", `verification-${name}`);
      assert.equal(parent, find(registrations, PostDeployVerification.token, "verification").urn);
      assert.deepEqual(inputs, {
        interpreter: ["node", "checks/main.ts"],
        create: name,
        environment: { UNITY_EXPECTED: JSON.stringify(expected) },
        triggers: ["uid/7"],
        logging: "none",
        addPreviousOutputInEnv: false,
      });
    }
    const results = await Promise.all(
      checkNames.map((name) => new Promise((resolve) => result.results[name].apply(({ passed }) => resolve(passed)))),
    );
    assert.deepEqual(
      results,
      checkNames.map(() => true),
    );
  });
});
