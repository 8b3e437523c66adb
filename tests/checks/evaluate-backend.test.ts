import assert from "node:assert/strict";
import { checks } from "../../src/checks/definitions.ts";
import {
  combineWorkloads,
  evaluateDatabaseHost,
  evaluateExecution,
  evaluateHealth,
  evaluateImage,
  evaluateLogs,
  evaluatePlugins,
  evaluatePods,
  withoutExecutions,
} from "../../src/checks/evaluate-backend.ts";
import type { ExecutionFacts, ImageFacts } from "../../src/checks/pod-facts.ts";
import type { CheckFinding, DeclaredRelease } from "../../src/checks/result.ts";
import type { Sources } from "../../src/checks/sources.ts";
import type { Deployment } from "../../src/cluster/objects.ts";
import { type RolloutItem, rolloutOf } from "../../src/cluster/rollout.ts";
import { expected, image } from "../support/checks.ts";
import { container, deployment, pod, servingPod } from "../support/kubernetes.ts";

const healthy = JSON.stringify({ status: "healthy", components: { database: { status: "healthy" } } });
const withoutDatabase = JSON.stringify({ status: "healthy", components: { database: { status: "unhealthy" } } });
const imageWith = (changes: Partial<ImageFacts>) => evaluateImage(image(changes), expected);
const [r1 = "", r2 = ""] = expected.chain.revisions.map(({ file }) => file);
const host = (changes: Partial<ImageFacts["address"]>, owned = true) =>
  evaluateDatabaseHost(image({ address: { ...image().address, ...changes } }), { ...expected, owned });
const row = { startedAt: "10:00", completedAt: "10:01", status: "succeeded", error: null };
const execution = (changes: object) =>
  evaluateExecution({ plugin: "p", row, restored: true, ...changes } as ExecutionFacts);
const rollout = (items: readonly RolloutItem[]) => rolloutOf(items, "app");
const both = rollout([...deployment(1), servingPod("rs2"), servingPod("rs1")]);
const logs = (...lines: string[]) => evaluateLogs(lines.map((line) => `[pod/${line}\n`).join(""), both);

const accepted: [string, CheckFinding, string][] = [
  ["health", evaluateHealth(healthy), healthy],
  ["an empty list of plugins", evaluatePlugins("[]"), "0 plugins"],
  [
    "an image with the chain",
    imageWith({}),
    "3 locked files, Alembic's configuration, env.py for the database of DATABASE_URL",
  ],
  ["the stack's own database", host({}), "postgres-service:5432/homelab_db"],
  ["an external database", host({ host: false, database: false }, false), "valid URL"],
  ["an execution", execution({}), "p succeeded, 10:00 to 10:01"],
  ["an empty log", logs(), "errors in 0 of 0 lines"],
  ["a log without errors", logs("rs2-pod/app] INFO: started"), "errors in 0 of 1 lines"],
  [
    "a database error of an old pod",
    logs("rs1-pod/app] ERROR [app] database error in GET /: x"),
    "errors in 0 of 0 lines",
  ],
  [
    "a warning, from which the backend recovers",
    logs('rs2-pod/app] 2026-01-03 10:00:00,000 WARNING [app] relation "plugins" does not exist'),
    "errors in 0 of 1 lines",
  ],
];

const rejected: [string, CheckFinding, string][] = [
  ["an unhealthy database", evaluateHealth(withoutDatabase), withoutDatabase],
  ["health without components", evaluateHealth('{"status":"healthy"}'), '{"status":"healthy"}'],
  ["health that is not JSON", evaluateHealth("Internal Server Error"), "Internal Server Error"],
  ["no response", evaluateHealth(""), "no response"],
  ["plugins that are not a list", evaluatePlugins('{"plugins":[]}'), '{"plugins":[]}'],
  ["an image without a file", imageWith({ files: { ...image().files, [r1]: null } }), `${r1} is missing`],
  [
    "an image with another file",
    imageWith({ files: { ...image().files, [r2]: "f".repeat(64) } }),
    `${r2} differs from the lockfile`,
  ],
  [
    "an image with another env.py",
    imageWith({ files: { ...image().files, "alembic/env.py": "f".repeat(64) } }),
    "alembic/env.py differs from the lockfile",
  ],
  ["an image with an extra file", imageWith({ extra: ["x.py"] }), "x.py is not in the lockfile"],
  ["an image without alembic.ini", imageWith({ ini: "alembic.ini is missing" }), "alembic.ini is missing"],
  ["an env.py with its own address", imageWith({ env: "env.py does not" }), "env.py does not"],
  ["no DATABASE_URL", host({ set: false }), "DATABASE_URL is not set"],
  ["another host", host({ host: false }), "different host (value hidden)"],
  ["another host and port", host({ host: false, port: false }), "different host and port (value hidden)"],
  ["an invalid URL", host({ url: false }, false), "not a PostgreSQL URL with a host (value hidden)"],
  ["an execution without a row", execution({ row: null }), "p: executed, but no row"],
  [
    "an execution without an end",
    execution({ row: { ...row, completedAt: null, status: "running" } }),
    "p: row without completion, status running",
  ],
  ["a failed execution", execution({ row: { ...row, status: "failed", error: "E: x" } }), "p failed: E: x"],
  [
    "an execution that left its plugin enabled",
    execution({ restored: false }),
    "p succeeded, but its enabled state was not restored",
  ],
  ["no plugin", execution({ plugin: null }), "no executable plugin"],
  [
    "an error of the API",
    evaluateExecution({ problem: "the execution of p", status: 500 }),
    "HTTP 500 for the execution of p",
  ],
  ["a silent API", evaluateExecution({ problem: "the list", status: 0 }), "no response to the list"],
  [
    "a database error",
    logs("rs2-pod/app] ERROR [app] database error in GET /: x", "rs2-pod/app] INFO: continued"),
    "errors in 1 of 2 lines, last: ERROR [app] database error in GET /: x",
  ],
  [
    "a driver's traceback",
    logs("rs2-pod/app] psycopg.errors.UndefinedTable: nope"),
    "errors in 1 of 1 lines, last: psycopg.errors.UndefinedTable: nope",
  ],
];

describe("checks of the backend", () => {
  for (const [what, { passed, found, expected }, text] of accepted) {
    it(`accept ${what}`, () => {
      assert.deepEqual([passed, found], [true, text]);
      assert.notEqual(expected, "");
    });
  }
  for (const [what, { passed, found, expected }, text] of rejected) {
    it(`reject ${what}`, () => {
      assert.deepEqual([passed, found], [false, text]);
      assert.notEqual(expected, "");
    });
  }
  it("are reproduced with the app's own names and paths", () => {
    const { chain } = expected;
    const alembic = { ...chain.alembic, config: ["migrations/alembic.ini"] };
    const paths = { alembic, files: { "migrations/env.py": "0" }, versionLocations: ["migrations/versions", "a:b"] };
    const other = { ...expected, owned: false, workloads: ["web"], chain: { ...chain, ...paths } };
    assert.equal(
      checks.image.command(other),
      "kubectl --context c -n n exec deployment/web -- sh -c 'sha256sum migrations/alembic.ini migrations/env.py migrations/versions/*.py'",
    );
    const hostile = checks.image.command({ ...other, context: "it's; rm" });
    assert.ok(hostile.startsWith("kubectl --context 'it'\\''s; rm' -n "), hostile);
    assert.equal(checks.tables.command(other), `psql "$DATABASE_URL" -c '\\dt'`);
  });
  it("skip executions if the release has none", () => {
    assert.equal(withoutExecutions(expected)?.passed, true);
    assert.equal(withoutExecutions({ ...expected, tables: ["plugin_executions"] }), null);
  });
});

describe("evaluatePods", () => {
  const evicted = (owner: string) => pod(owner, { phase: "Failed" });
  const cases: [string, ReturnType<typeof pod>[], boolean, string][] = [
    ["all ready and new", [servingPod("rs2"), servingPod("rs2")], true, "2/2 ready"],
    ["one not ready", [servingPod("rs2"), pod("rs2")], false, "1/2 ready"],
    ["one missing", [servingPod("rs2")], false, "1/2 ready"],
    [
      "one of the old ReplicaSet besides",
      [servingPod("rs2"), servingPod("rs2"), servingPod("rs1")],
      false,
      "2/2 ready, 1 other",
    ],
    [
      "one of the old ReplicaSet that was evicted",
      [servingPod("rs2"), servingPod("rs2"), evicted("rs1")],
      true,
      "2/2 ready",
    ],
    ["one terminating", [servingPod("rs2"), pod("rs2", servingPod("rs2").status, true)], false, "1/2 ready"],
    [
      "one of the old ReplicaSet that is terminating",
      [servingPod("rs2"), servingPod("rs2"), pod("rs1", servingPod("rs1").status, true)],
      true,
      "2/2 ready",
    ],
    ["none", [], false, "0/2 ready"],
  ];
  for (const [what, pods, passed, found] of cases) {
    it(`${passed ? "accepts" : "rejects"} pods: ${what}`, () => {
      const finding = evaluatePods(rollout([...deployment(2), ...pods]), expected);
      assert.deepEqual([finding.passed, finding.found], [passed, found]);
    });
  }
  const running = (imageID: string) =>
    pod("rs2", { ...servingPod("rs2").status, containerStatuses: [container({ imageID })] });
  const [one, other] = ["a", "b"].map((character) => `sha256:${character.repeat(64)}`);
  const images: [string, string[], string | undefined][] = [
    ["one image by its digest", [`u@${one}`, `u@${one}`], one],
    ["one image from two registries", [`u@${one}`, `mirror.example/u@${one}`], one],
    ["two images", [`u@${one}`, `u@${other}`], undefined],
    ["an image whose digest only one node knows", [`u@${one}`, `${one}`], undefined],
    ["an image without a digest", [`${one}`, `${one}`], undefined],
  ];
  for (const [what, ids, image] of images) {
    it(`reports the image of the pods: ${what}`, () => {
      assert.equal(evaluatePods(rollout([...deployment(2), ...ids.map(running)]), expected).image, image);
    });
  }

  const release = { image: `u@${one}`, configMapName: "runner-1" } as DeclaredRelease;
  const template = (image: string, configMap: string) => ({
    spec: {
      containers: [{ name: "unity-backend", image }],
      volumes: [{ name: "runner", configMap: { name: configMap } }],
    },
  });
  const releases: [what: string, image: string, runner: string, found: string][] = [
    ["the release", `u@${one}`, "runner-1", "0/0 ready"],
    ["its image from another registry", `mirror.example/u:1@${one}`, "runner-1", "0/0 ready"],
    ["another image", `u@${other}`, "runner-1", `0/0 ready; image u@${other}`],
    ["an image by tag", "u:1", "runner-1", "0/0 ready; image u:1"],
    ["another runner", `u@${one}`, "runner-2", "0/0 ready; runner runner-2"],
  ];
  for (const [what, image, runner, found] of releases) {
    it(`compares the pods with the declared release: ${what}`, () => {
      const [{ spec, ...rest } = assert.fail(), ...sets] = deployment(0) as Deployment[];
      const items = [{ ...rest, spec: { ...spec, template: template(image, runner) } }, ...sets] as RolloutItem[];
      const finding = evaluatePods(rollout(items), { ...expected, release });
      assert.deepEqual([finding.passed, finding.found], [found === "0/0 ready", found]);
    });
  }
  it("names each workload that fails, and the command for the first", () => {
    const finding = (passed: boolean, found: string, image = one): CheckFinding => ({
      passed,
      expected: "ok",
      found,
      image,
    });
    const combine = (...findings: [string, CheckFinding][]) =>
      combineWorkloads(findings, (workload) => `kubectl logs ${workload}`);
    const of = (passed: boolean, expected: string, found: string, image: string | undefined, workload: string) => ({
      passed,
      expected,
      found,
      image,
      command: `kubectl logs ${workload}`,
    });
    assert.deepEqual(combine(["web", finding(false, "1 error")]), of(false, "ok", "1 error", one, "web"));
    assert.deepEqual(
      combine(["web", finding(true, "1/1")], ["worker", finding(true, "2/2")]),
      of(true, "web: ok; worker: ok", "web: 1/1; worker: 2/2", one, "web"),
    );
    assert.deepEqual(
      combine(["web", finding(true, "1/1")], ["worker", finding(false, "0/2", other)], ["cron", finding(false, "0/1")]),
      of(false, "worker: ok; cron: ok", "worker: 0/2; cron: 0/1", undefined, "worker"),
    );
  });
  it("reports the image of those that have pods", () => {
    const findings = [...deployment(1), running(`u@${one}`)];
    const [web, worker] = [findings, deployment(0)].map((items) => evaluatePods(rollout(items), expected));
    const { passed, found, image } = combineWorkloads(
      [
        ["web", web ?? assert.fail()],
        ["worker", worker ?? assert.fail()],
      ],
      String,
    );
    assert.deepEqual([passed, found, image], [true, "web: 1/1 ready; worker: 0/0 ready", one]);
  });
  it("accepts the image of a workload that is scaled to zero", async () => {
    const scaled = { web: rollout([...deployment(1), running(`u@${one}`)]), worker: rollout(deployment(0)) };
    const sources = {
      rollout: async (workload: "web" | "worker") => scaled[workload],
      image: async (workload: string) => (workload === "web" ? image() : assert.fail("no pod")),
    } as unknown as Sources;
    const finding = await checks.image.run(sources, { ...expected, workloads: ["web", "worker"] });
    assert.equal(finding.passed, true, finding.found);
    assert.match(finding.found, /; worker: not evaluated$/);
  });
  it("rejects a missing Deployment", () => assert.equal(evaluatePods(undefined, expected).passed, false));
});
