import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lock, LockedSql } from "../../src/lockfile/lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject } from "../fixtures/chains/project.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython, unity } from "./unity.ts";

describe("SQL in the lock, run on PostgreSQL", () => {
  let postgres: Postgres;
  let python: string;
  before(async () => {
    [postgres, python] = await Promise.all([startPostgres(), alembicPython()]);
  });
  after(() => postgres?.stop());

  let databases = 0;

  /** Returns the URL of a new database. */
  function createDatabase(): string {
    databases += 1;
    catalog(postgres.url, [`CREATE DATABASE test${databases}`]);
    return postgres.url.replace(/[^/]+$/, `test${databases}`);
  }

  /** Returns the database's catalog after `statements`. */
  function catalog(url: string, statements: readonly string[]): string[] {
    const input = JSON.stringify({ url, statements });
    const script = join(import.meta.dirname, "catalog.py");
    const { status, stdout, stderr } = spawnSync(python, ["-B", script], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  }

  function alembic(folder: string, url: string): void {
    const env = { ...process.env, DATABASE_URL: url.replace("postgresql:", "postgresql+psycopg:") };
    const args = ["-B", "-m", "alembic", "upgrade", "head"];
    const { status, stderr } = spawnSync(python, args, { cwd: folder, env, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  /** Returns the statements in a transaction, as Alembic runs them. */
  function transaction({ sql }: LockedSql): readonly string[] {
    assert.ok(sql);
    return ["BEGIN", ...sql, "COMMIT"];
  }

  /** Compares the catalogs of Alembic and of the lockfile's SQL at the head, and downgrades to the base. */
  function compare(folder: string, { revisions }: Lock): void {
    const expected = createDatabase();
    alembic(folder, expected);
    const own = (text: string) => !text.includes("alembic_version");
    const found = createDatabase();
    const upgrades = revisions.flatMap(({ upgrade }) => transaction(upgrade));
    const reached = catalog(found, upgrades);
    assert.ok(reached.length > revisions.length);
    assert.deepEqual(reached, catalog(expected, []).filter(own));
    const downgrades = [...revisions].reverse().flatMap(({ downgrade }) => transaction(downgrade));
    assert.deepEqual(catalog(found, downgrades), []);
  }

  it("creates and removes the same catalog as `alembic upgrade head` in the backend", () => {
    const folder = join(projectRoot, "backend");
    compare(folder, JSON.parse(readFileSync(join(folder, "migrations.lock.json"), "utf8")));
  });

  it("does so for branches, types, data, comments, and concurrent indexes", async () => {
    const project = new ChainProject([
      {
        id: "root",
        upgrade: [
          'op.create_table("a", sa.Column("id", sa.Integer, primary_key=True), sa.Column("m", sa.Enum("x%", name="mood")), comment="100%")',
        ],
        downgrade: ['op.drop_table("a")', 'op.execute("DROP TYPE mood")'],
      },
      {
        id: "left",
        down: "root",
        upgrade: [
          'op.add_column("a", sa.Column("note", sa.Text, nullable=False, server_default="a:b%c"))',
          "op.execute(\"INSERT INTO a (m) VALUES ('x%')\")",
        ],
        downgrade: ['op.drop_column("a", "note")'],
      },
      {
        id: "right",
        down: "root",
        upgrade: [
          "with op.get_context().autocommit_block():",
          '    op.create_index("ix_a_m", "a", ["m"], postgresql_concurrently=True)',
        ],
        downgrade: ['op.drop_index("ix_a_m", "a")'],
      },
      { id: "merged", down: ["left", "right"], upgrade: ["pass"], downgrade: ["pass"] },
    ]);
    const { code, stderr } = await unity("lock", "--backend", project.folder, "--python", python);
    assert.equal(code, 0, stderr);
    compare(project.folder, JSON.parse(readFileSync(project.lock, "utf8")));
    project.delete();
  });
});
