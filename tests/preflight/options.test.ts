import assert from "node:assert/strict";
import { checkNames } from "../../src/checks/names.ts";
import { checkTarget } from "../../src/preflight/options.ts";

describe("checkTarget", () => {
  const settings = {
    context: "here",
    clusterTimeoutSeconds: 60,
    namespace: "unity",
    toleratedRevisions: ["next"],
    applicationRole: "app",
    approvals: [
      { revision: "a", rule: "missing-downgrade" },
      { revision: "b", rule: "truncate" },
    ],
  };

  it("needs no secret, and accepts the approved irreversible revisions", () => {
    assert.deepEqual(checkTarget({ ...settings, database: { kind: "external" } }, { head: "b" }), {
      context: "here",
      clusterTimeoutSeconds: 60,
      namespace: "unity",
      head: "b",
      toleratedRevisions: ["next"],
      owned: false,
      irreversible: ["a"],
      applicationRole: "app",
      lockFile: "backend/migrations.lock.json",
      workloads: ["unity-backend"],
      checks: checkNames,
    });
    assert.ok(checkTarget({ ...settings, database: { kind: "owned" } }, { head: "b" }).owned);
  });
});
