import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Lock } from "../../src/lockfile/lock.ts";
import { printable } from "../../src/printable.ts";
import { type Checkout, checkout } from "../support/checkout.ts";
import { endWithTests } from "../support/children.ts";
import { answer, type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";
import { alembicPython } from "./unity.ts";

/** Text that a terminal, CI, Pulumi, a browser, or Markdown would run or hide. */
const hostile =
  "\u001b[31mred\u009b2J \u202eevil\r\n::add-mask::x\n##[group]y <{%x%}> <script>z</script> `a | b ![c](javascript:d) {{nope}}";

/** Returns the inside of Python's literal of a text. */
const literal = (value: string) => JSON.stringify(value).slice(1, -1);

const revision = `"""Add ${literal(hostile)}

Revision ID: hostile
"""
import sqlalchemy as sa
from alembic import op

revision = "hostile"
down_revision = "add_plugin_execution"

def upgrade():
    op.create_table("hostile", sa.Column("a${literal("\u001b[31m\u202e|`<b>")}", sa.Integer))
    op.execute("SELECT '${literal(hostile)}' -- ${literal(hostile)}")

def downgrade():
    raise NotImplementedError("${literal(hostile)}")
`;

const run = {
  id: 1,
  startedAt: "2026-01-03T10:00:00+00:00",
  finishedAt: "2026-01-03T10:00:01+00:00",
  direction: "upgrade",
  from: [],
  to: [hostile],
  target: ["hostile"],
  image: "i",
  planHash: "0",
  outcome: "failed",
  error: hostile,
  runner: "r",
};

const settings = `config:
  unity:context: here
  unity:image: registry.example/unity-backend:1.0
  unity:databasePassword:
    secure: v1:AAAA:BBBB
`;

describe("a chain with hostile titles, names, and SQL", () => {
  let copy: Checkout;
  let locked: { code: number | null; stdout: string; stderr: string };

  /** Runs a command of the checkout with a kubectl that gives these answers. */
  async function unity(answers: Partial<FakeAnswers>, env: NodeJS.ProcessEnv, ...args: readonly string[]) {
    using fake = fakeKubectl(answers);
    const program = join(copy.folder, "src", "cli", "main.ts");
    const options = { cwd: copy.folder, env: { ...process.env, ...fake.environment, ...env } };
    const child = endWithTests(spawn(process.execPath, [program, ...args], options));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  }

  function assertPrintable(shown: string, what: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the formats that the commands use
    const withoutFormats = shown.replaceAll(/\u001b\[(0|1|2|22|31|32|33|39)m/g, "");
    assert.equal(printable(withoutFormats), withoutFormats, what);
  }

  before(async () => {
    copy = checkout();
    writeFileSync(join(copy.folder, "backend", "alembic", "versions", "hostile.py"), revision);
    writeFileSync(join(copy.folder, "stack.yaml"), settings);
    locked = await unity({}, {}, "lock", "--python", await alembicPython());
    assert.equal(locked.code, 0, locked.stderr);
  });
  after(() => copy.remove());

  it("is locked with printable titles and reasons, and with the SQL that runs", () => {
    assertPrintable(locked.stdout, "output");
    const file = readFileSync(join(copy.folder, "backend", "migrations.lock.json"), "utf8");
    assertPrintable(file, "lockfile");
    const { title, upgrade, reversibleReason } = (JSON.parse(file) as Lock).revisions.at(-1) ?? assert.fail();
    assert.match(title, /^Add \\x1b\[31mred\\x9b2J \\u202eevil ::add-mask::x \\x23#\[group\]y \\x3c\{%x%\}> <script>/);
    assert.match(reversibleReason ?? "", /NotImplementedError: \\x1b\[31mred/);
    assert.ok(upgrade.sql?.some((statement) => statement.includes(hostile)));
  });

  const behind = { backend: answer(["add_plugin_execution"]) };
  const commands: readonly [args: readonly string[], answers: Partial<FakeAnswers>][] = [
    [["plan"], behind],
    [["plan", "--full"], behind],
    [["plan", "--json"], behind],
    [["chain"], behind],
    [["status"], { backend: answer([hostile]) }],
    [["status"], { backend: { error: hostile } }],
    [["status"], { list: { error: hostile } }],
    [["history"], { postgres: answer([run]) }],
    [["history", "--json"], { postgres: answer([run]) }],
    [["logs"], { postgres: { output: `[pod/p/c] ${hostile}\n${hostile}\nERROR sqlalchemy ${hostile}\n` } }],
    [["verify", "tables", "pods"], { postgres: { error: hostile }, backend: { error: hostile } }],
  ];
  for (const [args, answers] of commands) {
    it(`is printed without characters and commands that run: unity ${args.join(" ")}`, async () => {
      for (const env of [{}, { FORCE_COLOR: "1" }]) {
        const { stdout, stderr } = await unity(answers, env, ...args, "--config-file", "stack.yaml");
        assert.ok(stdout + stderr !== "");
        assertPrintable(stdout, "stdout");
        assertPrintable(stderr, "stderr");
      }
    });
  }

  it("is escaped in the report, the diagram, and every generated document", async () => {
    const report = join(copy.folder, "report.html");
    await unity({}, {}, "report", "--offline", "--output", report);
    const page = readFileSync(report, "utf8");
    assertPrintable(page, "report");
    assert.match(page, /Add \\x1b\[31mred/);
    assert.ok(!/<script|<b>/.test(page));

    const { code, stderr } = await unity({}, {}, "docs", "--config-file", "stack.yaml");
    assert.equal(code, 0, stderr);
    const folder = join(copy.folder, "docs", "operations");
    for (const name of readdirSync(folder)) assertPrintable(readFileSync(join(folder, name), "utf8"), name);
    const status = readFileSync(join(folder, "MIGRATION_STATUS.md"), "utf8");
    assert.match(status, /\\<script>z\\<\/script> \\`a \\\| b !\\\[c\\\]\(javascript:d\) \{\{nope\}\}/);
    assert.ok(!/(?<!\\)<(script|b)/.test(status));
  });
});
