import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markLine, parseLine } from "../../src/cli/logs.ts";
import { answer, deployedPostgres, type FakeAnswers } from "../support/fake-kubectl.ts";
import { type CommandResult, unityWith } from "./unity.ts";

const file = `config:
  unity:context: here
  unity:image: registry.example/unity-backend:1.0
  unity:databasePassword:
    secure: v1:AAAA:BBBB
`;
const behind: Partial<FakeAnswers> = { postgres: answer(["a1b2c3d4e5f6"]) };
const atHead: Partial<FakeAnswers> = { postgres: answer(["add_plugin_execution"]) };
const down: Partial<FakeAnswers> = { list: { output: JSON.stringify({ items: [deployedPostgres] }) } };

describe("unity apply, migrate, logs and verify", () => {
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
    ["apply: nothing to do at head", atHead, "", ["apply"], 0, /^Database is up to date \(head add_plugin_execution\)/],
    ["apply: nothing is deployed", {}, "", ["apply"], 2, /No running workload in namespace unity/],
    ["apply: a database that can't be asked", down, "", ["apply"], 2, /^Can't read the database revision/],
    [
      "migrate: nothing is deployed",
      {},
      "",
      ["migrate"],
      2,
      /^Current: not known\nLatest: {2}add_plugin_execution\nNo running workload in/,
    ],
    ["apply: a plan that has moved", behind, "  unity:planHash: '0000000000000000'\n", ["apply"], 1, /plan is stale: /],
    [
      "apply by exec: a restore point is wanted",
      behind,
      "  unity:restorePoint: 'true'\n",
      ["apply", "--method=exec"],
      1,
      /^Refused: the stack takes a restore point first\. Use --method job\.$/m,
    ],
    [
      "apply by exec: the URL past the pooler is wanted",
      { backend: answer(["a1b2c3d4e5f6"]) },
      "  unity:database: external\n  unity:databaseUrl: { secure: v1:A:B }\n  unity:migrationDatabaseUrl: { secure: v1:A:B }\n",
      ["apply", "--method=exec"],
      1,
      /^Refused: migrations need the URL past the connection pooler/,
    ],
  ];
  for (const [what, answers, settings, args, exitCode, text] of table) {
    it(`${what}, and exits with ${exitCode}`, async () => {
      const { code, stdout, stderr } = await run(answers, settings, ...args);
      assert.equal(code, exitCode, stdout + stderr);
      assert.match(stdout, text);
    });
  }

  it("say how they are called wrongly, and exit with 2", async () => {
    const wrong: readonly [readonly string[], RegExp][] = [
      [["verify", "tabels"], /There is no check tabels\. The checks: revision, pods, /],
      [["apply", "--method", "magic"], /Allowed choices are job, exec/],
      [["logs", "--tail", "many"], /It must be a non-negative integer/],
      [["logs", "--job"], /The migrate Jobs can't be listed/],
    ];
    for (const [args, text] of wrong) {
      const { code, stderr } = await run({}, "", ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, text);
    }
  });

  it("verify fails each check that can't look, with 1, and prints results as JSON", async () => {
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

describe("a line of a log", () => {
  const cases: [string, string, string][] = [
    ["is left as it is", "INFO: started", "  INFO: started"],
    ["is marked if it tells of a database error", "ERROR database error in GET /", "! ERROR database error in GET /"],
    ["is judged without the pod's name", "[pod/p/c] ERROR database error", "! [pod/p/c] ERROR database error"],
    ["is left if it warns", "[pod/p/c] WARNING [app] database error", "  [pod/p/c] WARNING [app] database error"],
  ];
  for (const [what, line, marked] of cases) {
    it(what, () => assert.equal(markLine(line), marked));
  }
  it("has its pod, where kubectl says it", () => {
    assert.deepEqual(parseLine("[pod/p/c] INFO: x"), { pod: "p", line: "INFO: x", databaseError: false });
    assert.deepEqual(parseLine("[x] INFO"), { pod: null, line: "[x] INFO", databaseError: false });
  });
});
