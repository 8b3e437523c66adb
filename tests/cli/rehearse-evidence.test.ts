import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LockOutcome } from "../../src/cli/lock/run.ts";
import type { RehearseOutcome } from "../../src/cli/rehearse/run.ts";
import { describeChange } from "../../src/lockfile/database-schema/changes.ts";
import { unpackChanges } from "../../src/lockfile/evidence.ts";
import { knownSql, type Lock } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { alembicPython, unityIn } from "./unity.ts";

const table = (name: string) => `op.create_table("${name}", sa.Column("id", sa.Integer, primary_key=True))`;
const base: RevisionSource = { id: "start", upgrade: [table("a")], downgrade: ['op.drop_table("a")'] };
/** A revision whose statements are known only on a database. */
const asking: RevisionSource = {
  id: "asks",
  down: "start",
  upgrade: [
    'for column in sa.inspect(op.get_bind()).get_columns("a"):',
    "    op.alter_column('a', column['name'], type_=sa.BigInteger)",
  ],
  downgrade: ['op.alter_column("a", "id", type_=sa.Integer)'],
};

describe("evidence of a rehearsal", () => {
  let python: string;
  let postgres: Postgres;
  const projects: ChainProject[] = [];
  before(async () => {
    [python, postgres] = await Promise.all([alembicPython(), startPostgres()]);
  });
  after(async () => {
    for (const project of projects) project.delete();
    await postgres?.stop();
  });

  function projectOf(...revisions: readonly RevisionSource[]): ChainProject {
    const project = new ChainProject(revisions);
    projects.push(project);
    return project;
  }

  /** Runs a command on a chain, on the server of the tests. */
  async function call<Outcome>(
    project: ChainProject,
    env: NodeJS.ProcessEnv,
    name: string,
    ...args: readonly string[]
  ) {
    const environment = { REHEARSAL_DATABASE_URL: postgres.url, ...env };
    const given = ["--backend", project.folder, "--python", python, "--json", ...args];
    const { code, stdout, stderr } = await unityIn(environment, name, ...given);
    const outcome = JSON.parse(stdout) as Outcome & { readonly error?: { readonly message: string } };
    assert.equal(outcome.error?.message, undefined);
    return { code, outcome, stderr };
  }

  const lock = (project: ChainProject, ...args: readonly string[]) => call<LockOutcome>(project, {}, "lock", ...args);
  const rehearse = (project: ChainProject, ...args: readonly string[]) =>
    call<RehearseOutcome>(project, {}, "rehearse", ...args);

  function read(project: ChainProject): Lock {
    return parseLock(readFileSync(project.lock, "utf8"), "lock");
  }

  it("makes unknown SQL known, with findings and locks, and stays in the lockfile", async () => {
    const project = projectOf(base, asking);
    await lock(project);
    assert.equal(read(project).revisions[1]?.upgrade.sql, null);
    const { code, outcome } = await rehearse(project);
    assert.equal(code, 0);
    assert.deepEqual([outcome.written, outcome.differences], [true, ["start", "asks", "models", "chain"]]);
    const { upgrade, findings, locks, rehearsed } = read(project).revisions[1] ?? assert.fail();
    assert.deepEqual(knownSql(upgrade), ["ALTER TABLE a ALTER COLUMN id TYPE BIGINT;"]);
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ["breaks-running-release", "rehearsed-sql", "changing-column-type"],
    );
    assert.deepEqual(
      locks.map(({ table, mode }) => [table, mode]),
      [["a", "ACCESS EXCLUSIVE"]],
    );
    assert.deepEqual(rehearsed?.locks, [[0, "public.a", "ACCESS EXCLUSIVE"]]);
    assert.deepEqual(unpackChanges(rehearsed?.changes ?? []).map(describeChange), [
      "~ column public.a.id: type integer -> bigint",
    ]);
    const text = readFileSync(project.lock, "utf8");
    assert.deepEqual((await lock(project)).outcome.differences, []);
    assert.equal(readFileSync(project.lock, "utf8"), text);
    assert.equal((await rehearse(project, "--check")).code, 0);
  });

  it("decides with which revisions a running release keeps working", async () => {
    const index: RevisionSource = {
      id: "index",
      down: "start",
      upgrade: ['op.create_index("ix_a", "a", ["id"])'],
      downgrade: ['op.drop_index("ix_a")'],
    };
    const dropped: RevisionSource = {
      id: "dropped",
      down: "index",
      upgrade: ['op.drop_index("ix_a")'],
      downgrade: ['op.create_index("ix_a", "a", ["id"])'],
    };
    const gone: RevisionSource = {
      id: "gone",
      down: "dropped",
      upgrade: ['op.drop_table("a")'],
      downgrade: [table("a")],
    };
    const project = projectOf(base, index, dropped, gone);
    await lock(project);
    const blockers = () => read(project).revisions.map(({ rollbackBlocker }) => rollbackBlocker);
    const bySql = "drops what earlier code may use: DROP";
    assert.deepEqual(blockers(), [null, null, `${bySql} INDEX ix_a;`, `${bySql} TABLE a;`]);
    await rehearse(project);
    const bySchema = "drops or renames what earlier code may use: - table public.a";
    assert.deepEqual(blockers(), [null, null, null, bySchema]);
    const found = read(project).revisions.map(({ findings }) =>
      findings.find(({ rule }) => rule === "breaks-running-release"),
    );
    assert.deepEqual(found.slice(0, 3), [undefined, undefined, undefined]);
    assert.equal(
      found[3]?.message,
      "A running release may fail, because it drops or renames what earlier code may use: - table public.a.",
    );
    assert.match(found[3]?.help ?? "", /^Deploy a release that no longer uses it/);
  });

  it("adds the locks of statements whose locks only the database knows", async () => {
    const block = "DO $$ BEGIN ALTER TABLE a ADD COLUMN n integer; END $$";
    const undo = 'op.drop_column("a", "n")';
    const project = projectOf(base, {
      id: "block",
      down: "start",
      upgrade: [`op.execute("${block}")`],
      downgrade: [undo],
    });
    await lock(project);
    await rehearse(project);
    const { locks } = read(project).revisions[1] ?? assert.fail();
    assert.deepEqual(locks, [
      { statement: 0, table: "public.a", mode: "ACCESS EXCLUSIVE", blocks: "reads and writes" },
      { statement: 0, table: null, mode: null, blocks: null, reason: "runs code in a DO block" },
    ]);
  });

  it("is stale after a new revision: `lock --check` says what renews it", async () => {
    const project = projectOf(base);
    await lock(project);
    await rehearse(project);
    assert.equal((await lock(project, "--check")).outcome.staleEvidence, null);
    project.add({ id: "next", down: "start" });
    await lock(project);
    const { code, outcome } = await lock(project, "--check");
    assert.equal(code, 0);
    assert.equal(outcome.staleEvidence?.reason, "not rehearsed: next");
    assert.match(outcome.staleEvidence?.command ?? "", /^npm run unity -- rehearse --backend /);
    assert.ok(read(project).revisions[0]?.rehearsed);
    const { code: checked, outcome: differing } = await rehearse(project, "--check");
    assert.deepEqual([checked, differing.written, differing.differences], [1, false, ["next", "chain"]]);
  });

  it("differs between two rehearsals of a chain that is nondeterministic", async () => {
    const stamp = { id: "stamp", down: "start", upgrade: ["op.execute(f\"COMMENT ON TABLE a IS '{context.STAMP}'\")"] };
    const project = projectOf(base, { ...stamp, downgrade: ['op.execute("COMMENT ON TABLE a IS NULL")'] });
    const env = join(project.folder, "alembic", "env.py");
    writeFileSync(
      env,
      `import uuid\n${readFileSync(env, "utf8")}`.replace("options =", "context.STAMP = uuid.uuid4()\noptions ="),
    );
    await lock(project);
    assert.equal((await rehearse(project)).code, 0);
    const { code, outcome } = await rehearse(project, "--check");
    assert.deepEqual([code, outcome.differences], [1, ["stamp"]]);
    const args = ["rehearse", "--backend", project.folder, "--python", python, "--check"];
    const { stdout } = await unityIn({ REHEARSAL_DATABASE_URL: postgres.url }, ...args);
    assert.match(stdout, /differs: stamp, although chain and version are the same: it is nondeterministic/);
  });

  it("contains no value of an environment variable, not even after an error", async () => {
    const grants = ["import os", "names = sa.inspect(op.get_bind()).get_table_names()"];
    const project = projectOf(base, {
      id: "secret",
      down: "start",
      upgrade: [...grants, "op.execute(f\"COMMENT ON TABLE a IS '{os.environ['APP_SECRET']}'\")"],
      downgrade: ["import os", "raise ValueError(os.environ['APP_SECRET'])"],
    });
    const env = { APP_SECRET: "correct-horse-battery" };
    await call(project, env, "lock");
    const { code, outcome, stderr } = await call<RehearseOutcome>(project, env, "rehearse");
    assert.equal(code, 1);
    assert.equal(outcome.revisions[1]?.variable, "APP_SECRET");
    const { upgrade, rehearsed } = read(project).revisions[1] ?? assert.fail();
    assert.deepEqual([knownSql(upgrade), rehearsed?.variable, rehearsed?.changes], [null, "APP_SECRET", []]);
    const printed = outcome.revisions.map(({ changes: _, ...rest }) => rest);
    for (const text of [readFileSync(project.lock, "utf8"), JSON.stringify(printed), stderr])
      assert.ok(!text.includes("correct-horse"), text);
  });

  it("adds findings on downgrades, on nondeterministic upgrades, and on the models", async () => {
    const project = projectOf(
      {
        ...base,
        upgrade: [table("a"), 'op.execute("CREATE SEQUENCE left_over")'],
        downgrade: ['op.drop_table("a")', 'op.execute("ALTER SEQUENCE left_over RENAME TO left_over2")'],
      },
      { id: "fails", down: "start", upgrade: [table("b")], downgrade: ['op.drop_table("c")'] },
      {
        id: "again",
        down: "fails",
        upgrade: ["op.execute(\"CREATE TYPE mood AS ENUM ('x')\")", table("c")],
        downgrade: ['op.drop_table("c")'],
      },
      {
        id: "random",
        down: "again",
        upgrade: [
          "import uuid",
          "names = sa.inspect(op.get_bind()).get_table_names()",
          "op.execute(f\"COMMENT ON TABLE b IS '{uuid.uuid4()}'\")",
        ],
        downgrade: ['op.execute("COMMENT ON TABLE b IS NULL")'],
      },
    );
    const file = join(project.folder, "alembic/env.py");
    const models = "MetaData()\nTable('a', models, Column('id', Integer, primary_key=True))\n";
    const text = readFileSync(file, "utf8")
      .replace("import MetaData", "import Column, Integer, MetaData, Table")
      .replace('options = {"target_metadata": MetaData()}', `models = ${models}options = {"target_metadata": models}`);
    writeFileSync(file, text);
    await lock(project);
    assert.equal((await rehearse(project)).code, 1);
    const found = read(project).revisions.map(({ findings }) =>
      findings.map(({ rule, message }) => `${rule}: ${message}`),
    );
    assert.deepEqual(
      found.map((each) => each.filter((line) => !line.startsWith("rehearsed-sql"))),
      [
        [
          "incomplete-downgrade: After the downgrade, the schema differs from the one before the upgrade: + sequence public.left_over2.",
        ],
        [
          'failing-downgrade: The downgrade failed when it was rehearsed: ProgrammingError: (psycopg.errors.UndefinedTable) table "c" does not exist (line 20).',
        ],
        [
          'incomplete-downgrade: After the downgrade, the schema differs from the one before the upgrade: + enum public.mood. The upgrade after the downgrade failed: ProgrammingError: (psycopg.errors.DuplicateObject) type "mood" already exists (line 16).',
        ],
        [
          "model-difference: Models of env.py: table b is in the database, but not in the models.",
          "model-difference: Models of env.py: table c is in the database, but not in the models.",
          "nondeterministic-upgrade: The upgrade ran different statements, or led to another schema, when it was rehearsed twice.",
          "sql-not-known: SQL is not known: NeedsDatabase: inspects the database (line 17).",
        ],
      ],
    );
  });
});
