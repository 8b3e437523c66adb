import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RehearseOutcome } from "../../src/cli/rehearse/run.ts";
import { describeChange } from "../../src/lockfile/database-schema/changes.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { endWithTests } from "../support/children.ts";
import { type Postgres, packagedPrograms, startPostgres } from "../support/postgres.ts";
import { alembicPython, unity, unityIn } from "./unity.ts";

const table = (name: string) => `op.create_table("${name}", sa.Column("id", sa.Integer, primary_key=True))`;

describe("pulumi-alembic rehearse", () => {
  let python: string;
  let postgres: Postgres;
  before(async () => {
    [python, postgres] = await Promise.all([alembicPython(), startPostgres()]);
  });
  after(() => postgres?.stop());

  async function lock(project: ChainProject, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const { code, stdout, stderr } = await unityIn(env, "lock", "--backend", project.folder, "--python", python);
    assert.equal(code, 0, stdout + stderr);
  }

  /** Locks and rehearses a chain on the server of the tests. */
  async function rehearse(revisions: readonly RevisionSource[], change: (project: ChainProject) => void = () => {}) {
    const project = new ChainProject(revisions);
    change(project);
    await lock(project);
    const environment = { REHEARSAL_DATABASE_URL: postgres.url };
    const args = ["rehearse", "--backend", project.folder, "--python", python, "--json"];
    const { code, stdout } = await unityIn(environment, ...args);
    project.delete();
    const outcome = JSON.parse(stdout) as RehearseOutcome & { readonly error?: { readonly message: string } };
    return { code, outcome };
  }

  it("runs Unity's chain on a server of its own, and says what each revision changes", async () => {
    const { code, stdout, stderr } = await unity("rehearse", "--check", "--postgres", packagedPrograms(), "--json");
    assert.equal(code, 0, stderr);
    const { revisions, models, failed } = JSON.parse(stdout) as RehearseOutcome;
    assert.deepEqual([models, failed, revisions.length], [[], null, 8]);
    const [first] = revisions;
    assert.deepEqual(first?.changes.map(describeChange), [
      "+ table public.metrics",
      "+ table public.servers",
      "+ table public.services",
    ]);
    assert.deepEqual(first?.leaves, []);
    assert.match(stderr, /^1\/8 {2}6a00ea433c25 {2}Initial {2}\d+\.\d\ds$/m);
  });

  it("records rows, locks, and statements that commit themselves", async () => {
    const { code, outcome } = await rehearse([
      { id: "one", upgrade: [table("a"), table("b")], downgrade: ['op.drop_table("b")', 'op.drop_table("a")'] },
      {
        id: "two",
        down: "one",
        upgrade: [
          'op.execute("INSERT INTO a SELECT generate_series(1, 3)")',
          'op.add_column("b", sa.Column("a_id", sa.Integer, sa.ForeignKey("a.id")))',
          "with op.get_context().autocommit_block():",
          '    op.create_index("ix", "b", ["a_id"], postgresql_concurrently=True)',
        ],
        downgrade: ['op.drop_column("b", "a_id")', 'op.execute("DELETE FROM a")'],
      },
    ]);
    assert.equal(code, 0, JSON.stringify(outcome));
    const statements = outcome.revisions[1]?.upgrade.map(({ rows, locks, autocommit }) => {
      const strong = locks.filter(([, mode]) => !["ACCESS SHARE", "ROW SHARE"].includes(mode));
      return { rows, locks: strong, autocommit };
    });
    assert.deepEqual(statements, [
      { rows: 3, locks: [["public.a", "ROW EXCLUSIVE"]], autocommit: false },
      { rows: null, locks: [["public.b", "ACCESS EXCLUSIVE"]], autocommit: false },
      {
        rows: null,
        locks: [
          ["public.a", "SHARE ROW EXCLUSIVE"],
          ["public.b", "SHARE ROW EXCLUSIVE"],
        ],
        autocommit: false,
      },
      { rows: null, locks: [["public.b", "SHARE UPDATE EXCLUSIVE"]], autocommit: true },
    ]);
  });

  it("leaves a given database empty, whatever revisions create, and uses it again", async () => {
    const sql = readFileSync(join(projectRoot, "tests/fixtures/every-object.sql"), "utf8")
      .replaceAll(
        /^(CREATE ROLE|CREATE TABLE alembic_version|CREATE SCHEMA pulumi_alembic|CREATE TABLE pulumi_al).*\n/gm,
        "",
      )
      .replaceAll("schema_reader", "postgres");
    const all = { id: "all", upgrade: [`op.execute(sa.text(${JSON.stringify(sql.replaceAll(":", "\\:"))}))`] };
    for (const _ of [1, 2]) {
      const { code, outcome } = await rehearse([all]);
      assert.equal(code, 1);
      assert.match(outcome.failed?.error ?? outcome.revisions[0]?.downgradeError ?? "", /t_all/);
    }
  });

  it("finds a downgrade that is incomplete, one that fails, and SQL that differs", async () => {
    const { code, outcome } = await rehearse([
      {
        id: "one",
        upgrade: [table("a"), "op.execute(\"CREATE TYPE mood AS ENUM ('x')\")"],
        downgrade: ['op.drop_table("a")', 'op.execute("ALTER TYPE mood RENAME TO kept")'],
      },
      { id: "two", down: "one", upgrade: [table("b")], downgrade: ['raise NotImplementedError("data is gone")'] },
      { id: "three", down: "two", upgrade: [table("c")], downgrade: null },
      {
        id: "four",
        down: "three",
        upgrade: ["import uuid", "op.execute(f\"COMMENT ON TABLE b IS '{uuid.uuid4()}'\")"],
        downgrade: ['op.execute("COMMENT ON TABLE b IS NULL")'],
      },
    ]);
    assert.equal(code, 1);
    const found = outcome.revisions.map(({ leaves, downgradeError, nondeterministic }) => [
      ...leaves.map(describeChange),
      downgradeError,
      nondeterministic,
    ]);
    assert.deepEqual(found[0]?.slice(0, 1), ["+ enum public.kept"]);
    assert.deepEqual(found.slice(1), [
      ["NotImplementedError: data is gone (line 20)", false],
      ["AttributeError: module 'three_py' has no attribute 'downgrade'", false],
      [null, true],
    ]);
  });

  it("goes on after an upgrade that fails only after its downgrade", async () => {
    const { code, outcome } = await rehearse([
      { id: "one", upgrade: [table("a")], downgrade: ['op.execute("ALTER TABLE a RENAME TO kept")'] },
      {
        id: "two",
        down: "one",
        upgrade: ["op.execute(\"CREATE TYPE mood AS ENUM ('x')\")", table("b")],
        downgrade: ['op.drop_table("b")'],
      },
      {
        id: "three",
        down: "two",
        upgrade: ['op.execute("INSERT INTO a VALUES (1)")'],
        downgrade: ["pass"],
      },
      { id: "four", down: "three", upgrade: [table("c")], downgrade: ['op.drop_table("c")'] },
    ]);
    assert.deepEqual([code, outcome.failed], [1, null]);
    const found = outcome.revisions.map(({ id, changes, leaves, againError }) => [
      id,
      changes.map(describeChange),
      leaves.map(describeChange),
      /type "mood" already exists|duplicate key/.exec(againError ?? "")?.[0],
    ]);
    const withSequence = (name: string) => [`+ sequence public.${name}_id_seq`, `+ table public.${name}`];
    assert.deepEqual(found.slice(1), [
      ["two", ["+ enum public.mood", ...withSequence("b")], ["+ enum public.mood"], 'type "mood" already exists'],
      ["three", [], [], "duplicate key"],
      ["four", withSequence("c"), [], undefined],
    ]);
  });

  it("doesn't compare the upgrade that follows an incomplete downgrade", async () => {
    const { code, outcome } = await rehearse([
      {
        id: "one",
        upgrade: [
          "from sqlalchemy.dialects import postgresql",
          'postgresql.ENUM("x", name="mood").create(op.get_bind(), checkfirst=True)',
          table("a"),
        ],
        downgrade: ['op.drop_table("a")'],
      },
    ]);
    assert.equal(code, 1);
    assert.deepEqual(
      outcome.revisions.map(({ leaves, nondeterministic }) => [...leaves.map(describeChange), nondeterministic]),
      [["+ enum public.mood", false]],
    );
  });

  it("runs the indexes of a table in the order of the lockfile", async () => {
    const names = Array.from({ length: 9 }, (_, index) => `n${index}`);
    const columns = names.map((name) => `sa.Column("${name}", sa.Integer, index=True)`);
    const { code, outcome } = await rehearse([
      { id: "one", upgrade: [`op.create_table("t_one", ${columns.join(", ")})`] },
    ]);
    assert.equal(code, 0, JSON.stringify(outcome));
    const indexes = outcome.revisions[0]?.upgrade.flatMap(({ sql }) => /INDEX ix_t_one_(\w+)/.exec(sql)?.[1] ?? []);
    assert.deepEqual(indexes, names);
  });

  it("stops at a revision that fails", async () => {
    const { code, outcome } = await rehearse([
      { id: "one", upgrade: [table("a")], downgrade: ['op.drop_table("a")'] },
      { id: "two", down: "one", upgrade: [table("b"), table("a")] },
      { id: "three", down: "two" },
    ]);
    assert.equal(code, 1);
    assert.deepEqual(
      outcome.revisions.map(({ id }) => id),
      ["one"],
    );
    assert.deepEqual([outcome.failed?.revision, outcome.failed?.direction], ["two", "upgrade"]);
    assert.match(outcome.failed?.error ?? "", /relation "a" already exists/);
  });

  it("names the error that a revision caught and that aborted its transaction", async () => {
    const caught = ["try:", '    op.execute("DROP TABLE absent")', "except Exception:", "    pass"];
    const { code, outcome } = await rehearse([{ id: "one", upgrade: [...caught, table("a")] }]);
    assert.equal(code, 1);
    const error = outcome.failed?.error ?? "";
    assert.match(error, /^ProgrammingError: .*table "absent" does not exist/);
    assert.match(error, /^SQLSTATE 42P01\nStatement: DROP TABLE absent\nThe revision caught this error/m);
  });

  it("says that a revision must create a table that the database lacks", async () => {
    const { outcome } = await rehearse([{ id: "one", upgrade: ['op.add_column("base", sa.Column("n", sa.Integer))'] }]);
    assert.match(
      outcome.failed?.error ?? "",
      /relation "base" does not exist.*\nThe rehearsal starts from an empty database: a revision must create .*first\.$/s,
    );
  });

  it("says that the app may have created a table that exists before its revision", async () => {
    const { outcome } = await rehearse([{ id: "one", upgrade: [table("a")] }], (project) => {
      const file = join(project.folder, "alembic/env.py");
      const create = [
        "import os",
        "import sqlalchemy",
        'if "alembic_offline" not in os.environ["DATABASE_URL"]:',
        '    with sqlalchemy.create_engine(os.environ["DATABASE_URL"]).begin() as connection:',
        '        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS a ()")',
      ];
      project.write("alembic/env.py", `${create.join("\n")}\n${readFileSync(file, "utf8")}`);
    });
    assert.match(
      outcome.failed?.error ?? "",
      /relation "a" already exists.*\nNo earlier revision created it: if the app does when it is loaded, .*empty database\.$/s,
    );
  });

  it("compares env.py's models with the schema at the head", async () => {
    const models =
      'MetaData()\nTable("a", options_metadata, Column("id", Integer, primary_key=True), Column("n", Text))';
    const { code, outcome } = await rehearse(
      [{ id: "one", upgrade: [table("a"), table("b")], downgrade: ['op.drop_table("b")', 'op.drop_table("a")'] }],
      (project) => {
        const file = join(project.folder, "alembic/env.py");
        const text = readFileSync(file, "utf8")
          .replace("import MetaData", "import Column, Integer, MetaData, Table, Text")
          .replace(
            'options = {"target_metadata": MetaData()}',
            `options_metadata = ${models}\noptions = {"target_metadata": options_metadata}`,
          );
        project.write("alembic/env.py", text);
      },
    );
    assert.equal(code, 1);
    assert.deepEqual(outcome.models, [
      "column a.n is in the models, but not in the database",
      "table b is in the database, but not in the models",
    ]);
  });

  it("rejects a database that has objects, and changes nothing there", async () => {
    const filled = await startPostgres();
    try {
      const project = new ChainProject([{ id: "one" }]);
      await lock(project);
      const script =
        "import psycopg, sys; c = psycopg.connect(sys.argv[1], autocommit=True); print(c.execute(sys.argv[2]).fetchall() if sys.argv[2].startswith('SELECT') else c.execute(sys.argv[2]))";
      const psql = (sql: string) => run(python, ["-c", script, filled.url, sql]);
      await psql("CREATE VIEW v AS SELECT 1 AS x");
      const args = ["rehearse", "--backend", project.folder, "--python", python, "--database-url", filled.url];
      const { code, stderr } = await unity(...args);
      assert.equal(code, 2);
      assert.match(stderr, /the database has objects: public\.v\. No changes were made/);
      assert.match(
        await psql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
        /^\[\('v',\)\]/,
      );
      project.delete();
    } finally {
      await filled.stop();
    }
  });

  it("rejects an env.py that connects to another database", async () => {
    const other = await startPostgres();
    try {
      const { code, outcome } = await rehearse([{ id: "one" }], (project) => {
        const file = join(project.folder, "alembic/env.py");
        const text = readFileSync(file, "utf8").replace(
          'with create_engine(os.environ["DATABASE_URL"])',
          `with create_engine("${other.url.replace("postgresql:", "postgresql+psycopg:")}")`,
        );
        project.write("alembic/env.py", text);
      });
      assert.equal(code, 2);
      assert.match(outcome.error?.message ?? "", /env\.py connects to database postgres of another server/);
    } finally {
      await other.stop();
    }
  });

  it("passes parts of the URL to an env.py that reads other variables", async () => {
    const project = new ChainProject([{ id: "one" }]);
    const file = join(project.folder, "alembic/env.py");
    const own =
      "f\"postgresql+psycopg://{os.environ['DB_USER']}:{os.environ['DB_PASS']}@{os.environ['DB_AT']}/postgres\"";
    project.write(
      "alembic/env.py",
      readFileSync(file, "utf8").replace(
        'with create_engine(os.environ["DATABASE_URL"])',
        `with create_engine(${own})`,
      ),
    );
    project.write("alembic/env.py", `import os\nNAME = os.environ["DB_USER"]\n${readFileSync(file, "utf8")}`);
    await lock(project, { DB_USER: "user" });
    const variables = ["DB_USER={user}", "DB_PASS={password}", "DB_AT={host}:{port}"].flatMap((each) => [
      "--env",
      each,
    ]);
    const args = ["rehearse", "--backend", project.folder, "--python", python, "--postgres", packagedPrograms()];
    const { code, stdout, stderr } = await unity(...args, ...variables);
    assert.equal(code, 0, stdout + stderr);
    project.delete();
  });

  it("runs env.py once per revision if it has a transaction of its own around all", async () => {
    const { code, outcome } = await rehearse([{ id: "one" }, { id: "two", down: "one" }], (project) => {
      const text = readFileSync(join(project.folder, "alembic/env.py"), "utf8");
      project.write("alembic/env.py", text.replace(".connect() as connection", ".begin() as connection"));
    });
    assert.equal(code, 0, JSON.stringify(outcome));
    assert.deepEqual(
      outcome.revisions.map(({ id, changes, leaves }) => [id, ...changes.map(describeChange), leaves.length]),
      [
        ["one", "+ sequence public.t_one_id_seq", "+ table public.t_one", 0],
        ["two", "+ sequence public.t_two_id_seq", "+ table public.t_two", 0],
      ],
    );
  });

  it("never shows a password", async () => {
    const project = new ChainProject([{ id: "one" }]);
    await lock(project);
    const url = "postgresql://someone:verysecret@127.0.0.1:1/none";
    const args = ["rehearse", "--backend", project.folder, "--python", python];
    const { code, stdout, stderr } = await unityIn({ REHEARSAL_DATABASE_URL: url }, ...args);
    assert.equal(code, 2);
    assert.match(stderr, /[Cc]onnection refused/);
    assert.ok(!(stdout + stderr).includes("verysecret"));
    project.delete();
  });

  it("leaves no process and no folder if it is killed", async () => {
    const start = '    pathlib.Path("started").touch()';
    const waiting = ["import pathlib, time", 'if pathlib.Path("wait").exists():', start, "    time.sleep(60)"];
    const project = new ChainProject([{ id: "one", upgrade: waiting }]);
    await lock(project); // which runs the upgrade, too
    project.write("wait", "");
    const main = join(projectRoot, "src", "cli", "main.ts");
    const args = [main, "rehearse", "--backend", project.folder, "--python", python, "--postgres", packagedPrograms()];
    const child = endWithTests(spawn(process.execPath, args, { cwd: projectRoot, stdio: "ignore" }));
    await eventually(() => existsSync(join(project.folder, "started")));
    const isOwn = (name: string) => name.startsWith(`pulumi-alembic-rehearsal-${child.pid}-`);
    const folders = () => readdirSync(tmpdir()).filter(isOwn);
    const [folder = ""] = folders();
    const left = () => [...folders(), ...processesIn(join(tmpdir(), folder)), ...processesIn(project.folder)];
    assert.ok(processesIn(project.folder).length > 0 && processesIn(join(tmpdir(), folder)).length > 1);
    child.kill("SIGKILL");
    await eventually(() => left().length === 0);
    project.delete();
  });
});

/** Returns the ids of the processes whose current folder is a folder or in it. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
    } catch {
      return false; // it has ended
    }
  });
}

/** Returns the first result that is true, or a list that is not empty. */
async function eventually<T>(look: () => T): Promise<T> {
  for (const end = performance.now() + 30_000; ; ) {
    const found = look();
    if (Array.isArray(found) ? found.length > 0 : found) return found;
    assert.ok(performance.now() < end, look.toString());
    await sleep(50);
  }
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = endWithTests(spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] }));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0);
  return output;
}
