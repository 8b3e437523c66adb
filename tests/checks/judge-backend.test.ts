import assert from "node:assert/strict";
import { evaluateExecution, withoutExecutions } from "../../src/checks/evaluate-execution.ts";
import { evaluateDatabaseHost, evaluateImage } from "../../src/checks/evaluate-image.ts";
import { evaluateLogs } from "../../src/checks/evaluate-logs.ts";
import { evaluatePrivileges, withOneRole } from "../../src/checks/evaluate-privileges.ts";
import type { ExecutionFacts, ImageFacts } from "../../src/checks/pod-facts.ts";
import type { CheckFinding } from "../../src/checks/result.ts";
import { expected, image, privileges } from "../support/checks.ts";
import { deployment, servingPod } from "../support/kubernetes.ts";

const imageWith = (changes: Partial<ImageFacts>) => evaluateImage(image(changes), expected);
const [r1 = "", r2 = ""] = expected.chain.revisions.map(({ file }) => file);
const host = (changes: Partial<ImageFacts["address"]>, owned = true) =>
  evaluateDatabaseHost(image({ address: { ...image().address, ...changes } }), { ...expected, owned });
const row = { startedAt: "10:00", completedAt: "10:01", status: "succeeded", error: null };
const execution = (changes: object) =>
  evaluateExecution({ plugin: "p", row, restored: true, ...changes } as ExecutionFacts);
const two = { ...expected, applicationRole: "app" };
const rights = (changes: Parameters<typeof privileges>[0]) => evaluatePrivileges(privileges(changes), two);
const items = [...deployment(1), servingPod("rs2"), servingPod("rs1")];
const logs = (...lines: string[]) => evaluateLogs(lines.map((line) => `[pod/${line}\n`).join(""), items);

const table: [string, CheckFinding, boolean, string][] = [
  ["an image with the chain", imageWith({}), true, "all of them"],
  [
    "an image without a file",
    imageWith({ files: { [r1]: null, [r2]: image().files[r2] ?? null } }),
    false,
    `${r1} is missing`,
  ],
  [
    "an image with another file",
    imageWith({ files: { ...image().files, [r2]: "f".repeat(64) } }),
    false,
    `${r2} is not the file that was locked`,
  ],
  ["an image with a file too many", imageWith({ extra: ["x.py"] }), false, "x.py is not in the lock"],
  ["an image without alembic.ini", imageWith({ ini: "alembic.ini is missing" }), false, "alembic.ini is missing"],
  ["an env.py with an address of its own", imageWith({ env: "env.py does not" }), false, "env.py does not"],
  ["the stack's own database", host({}), true, "it does"],
  ["no DATABASE_URL", host({ set: false }), false, "DATABASE_URL is not set"],
  ["another host", host({ host: false }), false, "it has another host (not shown)"],
  [
    "another host and port",
    host({ host: false, port: false }),
    false,
    "it has another host and another port (not shown)",
  ],
  ["a database elsewhere", host({ host: false, database: false }, false), true, "it is"],
  [
    "an address that is none",
    host({ url: false }, false),
    false,
    "its value (not shown) is no URL of a PostgreSQL database with a host",
  ],
  ["an execution", execution({}), true, "p succeeded, from 10:00 to 10:01"],
  ["an execution without a row", execution({ row: null }), false, "p was executed, and left no row"],
  [
    "an execution without an end",
    execution({ row: { ...row, completedAt: null, status: "running" } }),
    false,
    "p: a row without completion, status running",
  ],
  ["a failed execution", execution({ row: { ...row, status: "failed", error: "E: x" } }), false, "p failed: E: x"],
  [
    "an execution that left its plugin enabled",
    execution({ restored: false }),
    false,
    "p succeeded, but is not enabled or disabled as it was",
  ],
  ["no plugin", execution({ plugin: null }), false, "no plugin that could be executed"],
  [
    "an API that refuses",
    evaluateExecution({ problem: "the execution of p", status: 500 }),
    false,
    "500 for the execution of p",
  ],
  ["an API that is silent", evaluateExecution({ problem: "the list", status: 0 }), false, "no answer to the list"],
  ["a role with its rights", rights({}), true, "it does, and can't"],
  [
    "a role that lacks some, and has others",
    rights({ lacking: { t1: ["INSERT", "DELETE"], t2: ["SELECT"] }, excess: ["create a table"] }),
    false,
    "no INSERT, DELETE on t1, no SELECT on t2, it can create a table",
  ],
  ["another role than the stack's", rights({ role: "owner" }), false, "the backend's role is owner"],
  ["one role", withOneRole(expected) ?? assert.fail(), true, "one role"],
  ["an empty log", logs(), true, "none in 0 lines"],
  ["a log without errors", logs("rs2-pod/app] INFO: started"), true, "none in 1 lines"],
  [
    "a database error",
    logs("rs2-pod/app] ERROR [app] database error in GET /: x", "rs2-pod/app] INFO: went on"),
    false,
    "1 of 2 lines, the last: ERROR [app] database error in GET /: x",
  ],
  [
    "a database error of an old pod",
    logs("rs1-pod/app] ERROR [app] database error in GET /: x"),
    true,
    "none in 0 lines",
  ],
  [
    "what the backend mends by itself",
    logs('rs2-pod/app] 2026-01-03 10:00:00,000 WARNING [app] relation "plugins" does not exist'),
    true,
    "none in 1 lines",
  ],
  [
    "a driver's traceback",
    logs("rs2-pod/app] psycopg.errors.UndefinedTable: nope"),
    false,
    "1 of 1 lines, the last: psycopg.errors.UndefinedTable: nope",
  ],
];

describe("judgements of the backend", () => {
  for (const [what, finding, passed, found] of table) {
    it(`${passed ? "accept" : "refuse"} ${what}`, () => {
      assert.deepEqual([finding.passed, finding.found], [passed, found]);
    });
  }
  it("leave executions out where the release has none", () => {
    assert.equal(withoutExecutions(expected)?.passed, true);
    assert.equal(withoutExecutions({ ...expected, tables: ["plugin_executions"] }), null);
  });
});

describe("withOneRole", () => {
  it("leaves two roles to be judged", () => assert.equal(withOneRole(two), null));
});
