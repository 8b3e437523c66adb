import assert from "node:assert/strict";
import { judgeHealth, judgePlugins, judgeRevision, judgeTables } from "../../checks/judge.ts";
import { judgePods } from "../../checks/pods.ts";
import type { Finding } from "../../checks/result.ts";
import { redact } from "../../cluster/kubectl.ts";
import { deployment, pod, servingPod } from "../support/kubernetes.ts";

const expected = {
  context: "c",
  namespace: "n",
  head: "add_plugin_execution",
  toleratedRevisions: ["later"],
  tables: ["users", "plugins"],
};
const ok = { status: "healthy", components: { database: { status: "healthy" } } };

const table: [string, Finding, boolean, string][] = [
  ["the head", judgeRevision(["add_plugin_execution"], expected), true, "add_plugin_execution"],
  ["a tolerated revision", judgeRevision(["later"], expected), true, "later"],
  ["an older revision", judgeRevision(["a1b2c3d4e5f6"], expected), false, "a1b2c3d4e5f6"],
  ["no revision", judgeRevision([], expected), false, "no row"],
  ["no table", judgeRevision(null, expected), false, "no row"],
  ["two rows", judgeRevision(["add_plugin_execution", "later"], expected), false, "add_plugin_execution, later"],
  ["health", judgeHealth(JSON.stringify(ok)), true, JSON.stringify(ok)],
  [
    "an unhealthy database",
    judgeHealth('{"status":"healthy","components":{"database":{"status":"unhealthy"}}}'),
    false,
    '{"status":"healthy","components":{"database":{"status":"unhealthy"}}}',
  ],
  ["health without components", judgeHealth('{"status":"healthy"}'), false, '{"status":"healthy"}'],
  ["health that is no JSON", judgeHealth("Internal Server Error"), false, "Internal Server Error"],
  ["no answer", judgeHealth(""), false, "no answer"],
  ["an empty list of plugins", judgePlugins("[]"), true, "a list of 0"],
  ["plugins that are no list", judgePlugins('{"plugins":[]}'), false, '{"plugins":[]}'],
  ["all tables and more", judgeTables(["plugins", "users", "alembic_version"], expected), true, "all 2"],
  ["a missing table", judgeTables(["users"], expected), false, "missing: plugins"],
];

describe("judgements", () => {
  for (const [what, finding, passed, found] of table) {
    it(`${passed ? "accept" : "refuse"} ${what}`, () => {
      assert.deepEqual([finding.passed, finding.found], [passed, found]);
      assert.notEqual(finding.expected, "");
    });
  }
  it("shorten what is very long", () => {
    assert.ok(judgeHealth("x".repeat(100_000)).found.length < 600);
  });
});

describe("judgePods", () => {
  const evicted = (owner: string) => pod(owner, { phase: "Failed" });
  const cases: [string, ReturnType<typeof pod>[], boolean][] = [
    ["all ready and new", [servingPod("rs2"), servingPod("rs2")], true],
    ["one not ready", [servingPod("rs2"), pod("rs2")], false],
    ["one missing", [servingPod("rs2")], false],
    ["one of the old ReplicaSet besides", [servingPod("rs2"), servingPod("rs2"), servingPod("rs1")], false],
    ["one of the old ReplicaSet that was evicted", [servingPod("rs2"), servingPod("rs2"), evicted("rs1")], true],
    ["one on its way out", [servingPod("rs2"), pod("rs2", servingPod("rs2").status, true)], false],
    ["none", [], false],
  ];
  for (const [what, pods, passed] of cases) {
    it(`${passed ? "accepts" : "refuses"} pods: ${what}`, () => {
      assert.equal(judgePods([...deployment(2), ...pods]).passed, passed);
    });
  }
  it("refuses when there is no Deployment", () => assert.equal(judgePods([]).passed, false));
});

describe("redact", () => {
  it("takes passwords out of URLs and leaves the rest", () => {
    assert.equal(
      redact("at postgresql://u:hunter2@h/d and http://localhost:8000/"),
      "at postgresql://u:[secret]@h/d and http://localhost:8000/",
    );
  });
});
