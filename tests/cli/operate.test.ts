import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckName } from "../../src/checks/names.ts";
import type { CheckResult } from "../../src/checks/result.ts";
import { markLine, parseLine } from "../../src/cli/logs.ts";
import { describeResults } from "../../src/cli/verify.ts";
import { databaseAt, deployedPostgres, type FakeAnswers } from "../support/fake-kubectl.ts";
import { type CommandResult, unityWith } from "./unity.ts";

const file = `config:
  unity:context: here
  unity:image: registry.example/unity-backend:1.0
  unity:databasePassword:
    secure: v1:AAAA:BBBB
`;
const behind: Partial<FakeAnswers> = { postgres: databaseAt(["a1b2c3d4e5f6"]) };
const atHead: Partial<FakeAnswers> = { postgres: databaseAt(["add_plugin_execution"]) };
const down: Partial<FakeAnswers> = { list: { output: JSON.stringify({ items: [deployedPostgres] }) } };

describe("pulumi-alembic apply, logs, migrate, status and verify", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-operate-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function run(
    answers: Partial<FakeAnswers>,
    settings: string,
    ...args: readonly string[]
  ): Promise<CommandResult> {
    const stack = join(folder, "stack.yaml");
    writeFileSync(stack, file + settings);
    return unityWith(answers, ...args, "--config-file", stack);
  }

  const table: readonly [string, Partial<FakeAnswers>, string, readonly string[], number, RegExp][] = [
    ["apply: at head", atHead, "", ["apply"], 0, /^Database is up to date \(head add_plugin_execution\)/],
    ["apply: nothing is deployed", {}, "", ["apply"], 2, /No running workload in namespace unity/],
    ["apply: the database is unavailable", down, "", ["apply"], 2, /^Can't read the database revision/],
    [
      "migrate: nothing is deployed",
      {},
      "",
      ["migrate"],
      2,
      /^Current: unknown\nLatest: {2}add_plugin_execution\nNo running workload in/,
    ],
    ["apply: a stale plan", behind, "  unity:planHash: '0000000000000000'\n", ["apply"], 1, /plan is stale: /],
    [
      "apply by exec: the stack takes restore points",
      behind,
      "  unity:restorePoint: 'true'\n",
      ["apply", "--method=exec"],
      1,
      /^can't use --method exec; no changes were made:\n {2}the stack takes a restore point first\nUse --method job\.$/m,
    ],
    [
      "apply by exec: the stack has a migration URL",
      { backend: databaseAt(["a1b2c3d4e5f6"]) },
      "  unity:database: external\n  unity:databaseUrl: { secure: v1:A:B }\n  unity:migrationDatabaseUrl: { secure: v1:A:B }\n",
      ["apply", "--method=exec"],
      1,
      /^can't use --method exec; no changes were made:\n {2}the backend lacks the migration URL/,
    ],
    [
      "apply by exec: the Job has a variable that the backend lacks",
      { backend: databaseAt(["a1b2c3d4e5f6"]) },
      '  unity:pods: { migration: { env: [{ name: "A", value: "b" }] } }\n',
      ["apply", "--method=exec"],
      1,
      /^can't use --method exec; no changes were made:\n {2}the backend's pod and the migration Job's pod have different variables or mounts/,
    ],
    [
      "status: as metrics",
      behind,
      "",
      ["status", "--metrics"],
      1,
      /^# HELP .*\npulumi_alembic_revisions_behind\{app="unity",namespace="unity"\} 1\n.*# EOF\n$/s,
    ],
    [
      "status: settings that it doesn't use are invalid",
      atHead,
      "  unity:replicas: 0\n",
      ["status"],
      0,
      /^Database is up to date/,
    ],
    [
      "status: the target of the settings",
      behind,
      "  unity:targetRevision: a1b2c3d4e5f6\n",
      ["status"],
      0,
      /^Database is up to date \(target a1b2c3d4e5f6\)/,
    ],
  ];
  for (const [what, answers, settings, args, exitCode, text] of table) {
    it(`${what}, and exits with ${exitCode}`, async () => {
      const { code, stdout, stderr } = await run(answers, settings, ...args);
      assert.equal(code, exitCode, stdout + stderr);
      assert.match(stdout, text);
    });
  }

  it("report wrong usage, and exit with 2", async () => {
    const wrong: readonly [readonly string[], RegExp][] = [
      [["verify", "tabels"], /unknown check tabels: must be one of revision, pods, /],
      [["apply", "--method", "magic"], /Allowed choices are job, exec/],
      [["logs", "--tail", "many"], /It must be a non-negative integer/],
      [["logs", "--job"], /no migration Job found/],
    ];
    for (const [args, text] of wrong) {
      const { code, stderr } = await run({}, "", ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, text);
    }
  });

  it("verify fails checks without a cluster, exits with 1, and prints JSON", async () => {
    const { code, stdout } = await run({}, "", "verify", "--json", "tables", "reversible");
    assert.equal(code, 1, stdout);
    const results = JSON.parse(stdout) as { name: string; passed: boolean; command: string; seconds: number }[];
    assert.deepEqual(
      results.map(({ name, passed }) => [name, passed]),
      [
        ["tables", false],
        ["reversible", true],
      ],
    );
    assert.ok(results.every(({ command, seconds }) => command !== "" && seconds >= 0));
  });
});

describe("a log line", () => {
  const cases: [string, string, string][] = [
    ["is unmarked", "INFO: started", "  INFO: started"],
    ["is marked if it reports a database error", "ERROR database error in GET /", "! ERROR database error in GET /"],
    ["is evaluated without the pod name", "[pod/p/c] ERROR database error", "! [pod/p/c] ERROR database error"],
    [
      "is unmarked if it is a warning",
      "[pod/p/c] WARNING [app] database error",
      "  [pod/p/c] WARNING [app] database error",
    ],
  ];
  for (const [what, line, marked] of cases) {
    it(what, () => assert.equal(markLine(line), marked));
  }
  it("has its pod if kubectl prints it", () => {
    assert.deepEqual(parseLine("[pod/p/c] INFO: x"), { pod: "p", line: "INFO: x", databaseError: false });
    assert.deepEqual(parseLine("[x] INFO"), { pod: null, line: "[x] INFO", databaseError: false });
  });
});

describe("results of checks", () => {
  const result = (name: CheckName, passed: boolean, found: string): CheckResult => {
    return { name, passed, expected: `${name} expected`, found, seconds: passed ? 0.44 : 1.06, command: `get ${name}` };
  };

  it("are a table, followed by failures and totals", () => {
    const results = [
      result("revision", true, "add_plugin_execution"),
      result("constraints", false, "1 unvalidated: plugins.named"),
      result("database-host", true, "x".repeat(120)),
    ];
    assert.equal(
      describeResults(results),
      `CHECK          STATUS  TIME  RESULT
revision       PASS    0.4s  add_plugin_execution
constraints    FAIL    1.1s  1 unvalidated: plugins.named
database-host  PASS    0.4s  ${"x".repeat(99)}…

constraints
  expected:   constraints expected
  actual:     1 unvalidated: plugins.named
  reproduce:  get constraints

2 passed, 1 failed (1.1s)`,
    );
  });

  it("end with the totals if all checks passed", () => {
    assert.match(describeResults([result("pods", true, "1/1 ready")]), /1\/1 ready\n\n1 passed, 0 failed \(0\.4s\)$/);
  });
});
