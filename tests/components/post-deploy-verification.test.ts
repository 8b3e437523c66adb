import assert from "node:assert/strict";
import { PostDeployVerification } from "../../components/post-deploy-verification.ts";
import { checkNames } from "../../src/checks/names.ts";
import { type DeclaredRelease, formatVerification } from "../../src/checks/result.ts";
import { checkTarget } from "../support/checks.ts";
import { find, record, whenKnown } from "../support/recorder.ts";

const target = checkTarget({ head: "r1" });

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
      stdin: JSON.stringify(target),
      triggers: ["uid/7"],
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    const results = await whenKnown(result.results);
    assert.deepEqual(results, Object.fromEntries(checkNames.map((name) => [name, { name, passed: true }])));
  });

  it("rejects invalid checks before anything is declared", async () => {
    const invalid = { ...target, checks: [{ kind: "http", path: "healthz" } as const] };
    const declare = () => new PostDeployVerification("verification", { target: invalid, rollout: "uid/7" });
    await assert.rejects(record({}, declare), /invalid verification:\n {2}- invalid checks\[0\]\.path "healthz"/);
  });

  const release = { head: "r1" } as DeclaredRelease;
  const previous: readonly [what: string, stdout: string | undefined, verified: DeclaredRelease | undefined][] = [
    ["the release of the last run if the update doesn't run them", formatVerification(release, []), release],
    ["no release if they have never run", undefined, undefined],
    ["no release for results of an earlier format", '[{"name":"pods","passed":true}]', undefined],
  ];
  for (const [what, stdout, verified] of previous) {
    it(`has ${what}`, async () => {
      const declare = () =>
        new PostDeployVerification("verification", {
          target: { ...target, release: { ...release, head: "r2" } },
          rollout: "uid/7",
        });
      const { result } = await record({}, declare, {}, () => stdout);
      assert.deepEqual(await whenKnown(result.release), verified);
    });
  }
});
