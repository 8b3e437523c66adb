import assert from "node:assert/strict";
import { evaluateHealth, evaluatePlugins } from "../../src/checks/evaluate.ts";
import { evaluatePods } from "../../src/checks/evaluate-pods.ts";
import { evaluateReversible } from "../../src/checks/evaluate-reversible.ts";
import type { CheckFinding } from "../../src/checks/result.ts";
import { shortened } from "../../src/checks/text.ts";
import { expected } from "../support/checks.ts";
import { container, deployment, pod, servingPod } from "../support/kubernetes.ts";

const ok = { status: "healthy", components: { database: { status: "healthy" } } };
const { chain } = expected;
const [first, ...others] = chain.revisions;
const chainWith = (reversible: boolean | null) => ({
  ...expected,
  chain: {
    ...chain,
    revisions: first === undefined ? [] : [{ ...first, reversible, reversibleReason: "it passes" }, ...others],
  },
});

const table: [string, CheckFinding, boolean, string][] = [
  ["health", evaluateHealth(JSON.stringify(ok)), true, JSON.stringify(ok)],
  [
    "an unhealthy database",
    evaluateHealth('{"status":"healthy","components":{"database":{"status":"unhealthy"}}}'),
    false,
    '{"status":"healthy","components":{"database":{"status":"unhealthy"}}}',
  ],
  ["health without components", evaluateHealth('{"status":"healthy"}'), false, '{"status":"healthy"}'],
  ["health that is no JSON", evaluateHealth("Internal Server Error"), false, "Internal Server Error"],
  ["no answer", evaluateHealth(""), false, "no answer"],
  ["an empty list of plugins", evaluatePlugins("[]"), true, "a list of 0"],
  ["plugins that are no list", evaluatePlugins('{"plugins":[]}'), false, '{"plugins":[]}'],
  ["a chain that can be undone", evaluateReversible(expected), true, "none lacks one"],
  ["a revision that can't be undone", evaluateReversible(chainWith(false)), false, "r1: it passes"],
  [
    "a revision that can't be undone, which the stack accepts",
    evaluateReversible({ ...chainWith(false), irreversible: ["r1"] }),
    true,
    "none lacks one",
  ],
  [
    "a revision of which only a database could tell",
    evaluateReversible(chainWith(null)),
    true,
    "none lacks one; only a database could tell of r1",
  ],
];

describe("judgements", () => {
  for (const [what, finding, passed, found] of table) {
    it(`${passed ? "accept" : "refuse"} ${what}`, () => {
      assert.deepEqual([finding.passed, finding.found], [passed, found]);
      assert.notEqual(finding.expected, "");
    });
  }
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
      assert.equal(evaluatePods([...deployment(2), ...pods]).passed, passed);
    });
  }
  const running = (imageID: string) =>
    pod("rs2", { ...servingPod("rs2").status, containerStatuses: [container({ name: "unity-backend", imageID })] });
  const [one, other] = ["a", "b"].map((character) => `sha256:${character.repeat(64)}`);
  const images: [string, string[], string | undefined][] = [
    ["one image by its digest", [`u@${one}`, `u@${one}`], one],
    ["one image from two registries", [`u@${one}`, `mirror.example/u@${one}`], one],
    ["two images", [`u@${one}`, `u@${other}`], undefined],
    ["an image whose digest only one node knows", [`u@${one}`, `${one}`], undefined],
    ["an image without a digest", [`${one}`, `${one}`], undefined],
  ];
  for (const [what, ids, image] of images) {
    it(`sees which image pods run: ${what}`, () => {
      assert.equal(evaluatePods([...deployment(2), ...ids.map(running)]).image, image);
    });
  }
  it("refuses when there is no Deployment", () => assert.equal(evaluatePods([]).passed, false));
});

describe("shortened", () => {
  const cases: [string, string, string][] = [
    [
      "a URL's password",
      "at postgresql://u:hunter2@h/d and http://localhost:8000/",
      "at postgresql://u:[secret]@h/d and http://localhost:8000/",
    ],
    ["what is called a password", 'PASSWORD=hunter2, "token": "x y"', 'PASSWORD=[secret], "token": [secret]'],
    ["control characters and line breaks", "a\u0000\n\u001b[31mb", "a [31mb"],
  ];
  for (const [what, given, result] of cases) {
    it(`takes out ${what}`, () => assert.equal(shortened(given), result));
  }
  it("cuts a flood", () => {
    assert.ok(shortened("x".repeat(8_000_000)).length < 600);
  });
  it("shows no half of a URL", () => {
    const text = `${" ".repeat(10)}${"y ".repeat(1990)}postgresql://u:hunter2@${"z".repeat(100)}`;
    assert.ok(!shortened(text).includes("hunter"));
  });
});
