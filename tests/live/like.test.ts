import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BlockingTimes } from "../../src/cli/rehearse/like/outcome.ts";
import { alembicPython, unityIn } from "../cli/unity.ts";
import { exampleStack } from "../support/example-stack.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { fixtureImage } from "../support/images.ts";

const { UNITY_CONTEXT: context = "" } = process.env;

const revision = `"""Tokens

Revision ID: 0004
Revises: 0003
Create Date: 2026-01-26 09:00:00
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rewrite \`\`notes\`\`, and index it."""
    op.execute("ALTER TABLE notes ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()")
    op.execute("CREATE INDEX ix_notes_body ON notes (body)")


def downgrade() -> None:
    """Undo both."""
    op.execute("DROP INDEX ix_notes_body")
    op.execute("ALTER TABLE notes DROP COLUMN token")
`;

describe("expected times of a stack's pending revision", () => {
  const stack = exampleStack("notes", "like");
  const psql = (sql: string) => stack.server.psql("notes", sql);
  let app: string;
  let args: readonly string[];
  before(async () => {
    app = join(stack.program.folder, "app");
    const { exitCode, output } = await (await stack.program.engine()).run("up");
    assert.equal(exitCode, 0, output);
    await psql("INSERT INTO notebooks (title) SELECT 'confidential ' || i FROM generate_series(1, 1000) i");
    await psql(
      `INSERT INTO notes (notebook_id, body) SELECT 1 + i % 1000, 'confidential ' || md5(i::text) FROM generate_series(1, 150000) i`,
    );
    await psql("VACUUM (ANALYZE) notebooks, notes");
    writeFileSync(join(app, "alembic", "versions", "0004_tokens.py"), revision);
    const python = await alembicPython();
    args = ["--backend", app, "--python", python];
    const { code, stderr } = await unityIn({}, "lock", ...args);
    assert.equal(code, 0, stderr);
    const image = await fixtureImage(app, "notes-fixture");
    await stack.program.engine({ image });
  });

  it("are measured without reading a row", async () => {
    using kubectl = kubectlProgram(`#!/bin/bash
set -o pipefail
PATH=${process.env.PATH} kubectl "$@" | tee -a "$(dirname "$0")/answers"
`);
    const target = ["--context", context, "--namespace", stack.kubectl.namespace];
    const { code, stdout, stderr } = await unityIn(
      kubectl.environment,
      ...["rehearse", "--like", "notes", "--json", ...args, ...target],
    );
    assert.equal(code, 0, stdout + stderr);
    const times = JSON.parse(stdout) as BlockingTimes;
    assert.deepEqual([times.current, times.failed, times.unknownTables], [["0003"], null, {}]);
    assert.deepEqual(times.rows, { "public.notes": 150_000 });
    assert.deepEqual(
      times.revisions.flatMap(({ id, statements }) =>
        statements.map(({ table, blocks }) => [id, table, ...blocks.map((block) => block.blocks)]),
      ),
      [
        ["0004", "public.notes", "reads and writes"],
        ["0004", "public.notes"],
      ],
    );
    const read = readFileSync(join(kubectl.folder, "answers"), "utf8");
    assert.match(read, /"public\.notes" : \{"rows" : 150000/);
    const written = readFileSync(join(app, "migrations.times.json"), "utf8");
    assert.doesNotMatch(read + written + stdout + stderr, /confidential/);
  });

  it("are shown by preview for the live rows, and compared with the timeouts", async () => {
    const preview = async () => (await (await stack.program.engine()).run("preview")).output;
    const statement = (rows: string) =>
      new RegExp(
        `ALTER TABLE notes ADD COLUMN token [^\\n]*\\n.*\\n? *takes .*; blocks reads and writes of notes for .* \\(${rows} rows of notes\\)`,
      );
    const small = await preview();
    assert.match(small, statement("150,000"));
    assert.doesNotMatch(small, /Expected times:/);
    await psql("UPDATE pg_class SET reltuples = 4e9 WHERE oid = 'notes'::regclass");
    const large = await preview();
    assert.match(large, statement("4,000,000,000"));
    assert.match(
      large,
      /Expected times: a statement of revision 0004 takes about .*, which exceeds statementTimeoutSeconds \(300\)/,
    );
    await psql("ANALYZE notes");
  });

  it("end with the update, which applies the revision", async () => {
    const engine = await stack.program.engine();
    const { exitCode, output } = await engine.run("up");
    assert.equal(exitCode, 0, output);
    const { jobName } = (await engine.outputs()) as { jobName: string };
    assert.match(await stack.kubectl.run(["logs", `job/${jobName}`]), /4\/4 {2}0004 {2}Tokens {2}[\d.]+s/);
    assert.equal(await psql("SELECT count(token) FROM notes"), "150000");
    const next = await (await stack.program.engine()).run("up", ["--expect-no-changes"]);
    assert.equal(next.exitCode, 0, next.output);
    assert.doesNotMatch(next.output, /takes /);
  });
});
