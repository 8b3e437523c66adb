import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { Lock, LockedRevision } from "../../src/lockfile/lock.ts";
import { hashFile } from "../../src/lockfile/read-lock.ts";
import { ChainProject, linearChain } from "../fixtures/chains/project.ts";
import { alembicPython, type CommandResult, unity } from "./unity.ts";

describe("pulumi-alembic lock", () => {
  let project: ChainProject;
  let python: string;
  before(async () => {
    python = await alembicPython();
  });
  beforeEach(() => {
    project = new ChainProject(linearChain(3));
  });
  afterEach(() => project.delete());

  function lock(...options: readonly string[]): Promise<CommandResult> {
    return unity("lock", "--backend", project.folder, "--python", python, ...options);
  }

  async function locked(): Promise<Lock> {
    const { code, stdout, stderr } = await lock();
    assert.equal(code, 0, `${stdout}${stderr}`);
    return JSON.parse(readFileSync(project.lock, "utf8"));
  }

  /** Runs `pulumi-alembic lock`, which must fail without a change to the file, and returns its output. */
  async function rejected(...options: readonly string[]): Promise<string> {
    const before = readFileSync(project.lock, "utf8");
    const { code, stdout } = await lock(...options);
    assert.equal(code, 1, stdout);
    assert.equal(readFileSync(project.lock, "utf8"), before);
    return stdout;
  }

  it("writes the chain from base to head, the same in every run", async () => {
    const { revisions, ...rest } = await locked();
    assert.deepEqual(rest, {
      version: 4,
      alembic: { config: [], x: [], flaskApp: null },
      versionLocations: ["alembic/versions"],
      versionTable: { schema: null, name: "alembic_version" },
      heads: ["r0003"],
      bases: ["r0001"],
      files: { "alembic/env.py": hashFile(`${project.folder}/alembic/env.py`) },
      env: { sql: [] },
    });
    const { sha256, ...second } = revisions[1] as LockedRevision;
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(second, {
      id: "r0002",
      downRevisions: ["r0001"],
      dependsOn: [],
      branchLabels: [],
      title: "Revision r0002",
      date: "2026-01-03 10:00:00.000001",
      file: "alembic/versions/r0002.py",
      files: {},
      tables: { created: ["t_r0002"], altered: [], dropped: [], unclassified: [] },
      upgrade: {
        sql: [
          "CREATE TABLE t_r0002 (\n    id SERIAL NOT NULL, \n    at TIMESTAMP WITHOUT TIME ZONE, \n    PRIMARY KEY (id)\n);",
          "CREATE INDEX ix_t_r0002_at ON t_r0002 (at);",
        ],
      },
      downgrade: { sql: ["DROP TABLE t_r0002;"] },
      reversible: true,
      reversibleReason: null,
      findings: [],
      locks: [],
      indexes: { built: [], repaired: [] },
      rollbackBlocker: null,
    });
    const text = readFileSync(project.lock, "utf8");
    assert.ok(!text.includes(project.folder));
    await locked();
    assert.equal(readFileSync(project.lock, "utf8"), text);
    assert.equal((await lock("--check")).code, 0);
  });

  it("--check reports a missing lockfile, and writes none", async () => {
    const { code, stdout } = await lock("--check");
    assert.equal(code, 1);
    assert.match(stdout, /added {3}r0001 \(alembic\/versions\/r0001\.py\)/);
    assert.throws(() => readFileSync(project.lock));
  });

  it("adds a revision at the end; --check reports it with the command", async () => {
    await locked();
    project.add({ id: "new", down: "r0003" });
    const { code, stdout } = await lock("--check");
    assert.equal(code, 1);
    assert.match(stdout, /added {3}new \(alembic\/versions\/new\.py\)/);
    assert.match(stdout, /To update it, run: npm run unity -- lock --backend \S+ --python \S+\n/);
    assert.deepEqual((await locked()).heads, ["new"]);
  });

  it("rejects an edited revision with a diff unless it is named", async () => {
    await locked();
    const upgrade = ['op.create_table("t_r0002", sa.Column("id", sa.BigInteger, primary_key=True))'];
    project.add({ id: "r0002", down: "r0001", upgrade });
    const said = await rejected();
    assert.match(said, /changed r0002 \(alembic\/versions\/r0002\.py\)\n\s+sha256:/);
    assert.match(said, /- {5}id SERIAL NOT NULL/);
    assert.match(said, /\+ {5}id BIGSERIAL NOT NULL/);
    assert.match(said, /npm run unity -- lock .*--rewrite r0002\n/);
    assert.doesNotMatch(said, /r0001|r0003/);
    await rejected("--rewrite", "r0001");
    assert.equal((await lock("--rewrite", "r0002")).code, 0);
    assert.equal((await lock("--check")).code, 0);
  });

  it("rejects an edit of a locked file that keeps the SQL", async () => {
    await locked();
    project.add({ id: "r0002", down: "r0001", title: "Another title" });
    assert.match(await rejected(), /title:\n\s+- Revision r0002\n\s+\+ Another title/);
  });

  it("rejects a removed revision unless all affected revisions are named", async () => {
    await locked();
    project.remove("alembic/versions/r0002.py");
    project.add({ id: "r0003", down: "r0001" });
    assert.match(await rejected("--rewrite", "r0003"), /removed r0002 \(alembic\/versions\/r0002\.py\)/);
    assert.equal((await lock("--rewrite", "r0003", "--rewrite", "r0002")).code, 0);
  });

  it("rejects a revision inserted before a locked one", async () => {
    await locked();
    project.add({ id: "between", down: "r0001" });
    project.add({ id: "r0002", down: "between" });
    const said = await rejected();
    assert.match(said, /downRevisions:\n\s+- r0001\n\s+\+ between/);
    assert.match((await lock("--check")).stdout, /between was inserted before this revision/);
  });

  it("adds findings and locks to locked revisions without --rewrite", async () => {
    project.add({ id: "drops", down: "r0003", upgrade: ['op.drop_table("t_r0001")'] });
    const { revisions, ...rest } = await locked();
    const text = readFileSync(project.lock, "utf8");
    const older = revisions.map(({ findings: _, locks: __, files: ___, ...revision }) => revision);
    for (const before of [
      { ...rest, version: 1, revisions: older },
      { ...rest, revisions: older.map((revision) => ({ ...revision, findings: [], locks: [], files: {} })) },
    ]) {
      writeFileSync(project.lock, JSON.stringify(before));
      const { code, stdout } = await lock("--check");
      assert.equal(code, 1);
      assert.match(stdout, /findings:\n.*\+ error ban-drop-table, statement 1: Dropping a table/);
      assert.match(stdout, /locks:\n.*\+ statement 1: ACCESS EXCLUSIVE on t_r0001, blocks reads and writes/);
      assert.doesNotMatch(stdout, /--rewrite/);
      await locked();
      assert.equal(readFileSync(project.lock, "utf8"), text);
    }
  });

  it("prints JSON", async () => {
    await locked();
    project.add({ id: "new", down: "r0003" });
    const { code, stdout } = await lock("--check", "--json");
    const { differences, written, heads } = JSON.parse(stdout);
    assert.deepEqual({ code, written, heads }, { code: 1, written: false, heads: ["new"] });
    assert.deepEqual(differences, [
      { kind: "added", revisions: ["new"], file: "alembic/versions/new.py", changes: [] },
    ]);
  });

  it("restores the format of an edited lockfile", async () => {
    const text = JSON.stringify(await locked());
    writeFileSync(project.lock, text);
    const { code, stdout } = await lock("--check");
    assert.equal(code, 1);
    assert.match(stdout, /format of the file/);
    await locked();
    assert.notEqual(readFileSync(project.lock, "utf8"), text);
  });

  const usage: readonly { name: string; options: readonly string[]; spoil?: () => void; says: RegExp }[] = [
    { name: "an unknown option", options: ["--nope"], says: /unknown option '--nope'/ },
    {
      name: "an unknown revision to rewrite",
      options: ["--rewrite", "zz"],
      says: /unknown revision in --rewrite: zz\nRevisions: .*r0003/,
    },
    { name: "a missing interpreter", options: ["--python", "no-python"], says: /can't run no-python/ },
    {
      name: "no alembic.ini",
      options: [],
      spoil: () => project.remove("alembic.ini"),
      says: /no alembic\.ini or pyproject\.toml in .*--backend <folder>/s,
    },
    {
      name: "a broken lock",
      options: [],
      spoil: () => project.write("migrations.lock.json", "{}"),
      says: /invalid lockfile .*:\n {2}- lock\.version is missing/,
    },
    {
      name: "two files of one revision",
      options: [],
      spoil: () => project.add({ id: "r0003", down: "r0002", file: "alembic/versions/copy.py" }),
      says: /Revision r0003 is present more than once/,
    },
    {
      name: "a gap in the chain",
      options: [],
      spoil: () => project.remove("alembic/versions/r0002.py"),
      says: /Revision r0002 referenced from .* is not present/,
    },
    {
      name: "a cycle",
      options: [],
      spoil: () => project.add({ id: "r0001", down: "r0003" }),
      says: /[Cc]ycle/,
    },
    {
      name: "an invalid Python file",
      options: [],
      spoil: () => project.write("alembic/versions/bad.py", "def"),
      says: /SyntaxError/,
    },
    {
      name: "an ID and a label with characters that act on a terminal",
      options: [],
      spoil: () => {
        const file = "alembic/versions/hidden.py";
        project.add({ id: "a\u001b[2J", down: "r0003", branchLabel: "b\u202e", file });
      },
      says: /in names:\n {2}- revision "a\\u001b\[2J" \(.*hidden\.py\)\n {2}- branch label "b\\u202e".*\nRename them\./,
    },
    {
      name: "an env.py that connects",
      options: [],
      spoil: () =>
        project.write("alembic/env.py", 'import sqlalchemy as sa\nsa.create_engine("sqlite://").connect()\n'),
      says: /NeedsDatabase: connects to a database/,
    },
    {
      name: "an env.py that takes a URL of another kind of database",
      options: [],
      spoil: () =>
        project.write(
          "alembic/env.py",
          'from alembic import context\ncontext.configure(url="sqlite:///app.db")\ncontext.run_migrations()\n',
        ),
      says: /env\.py takes a URL of sqlite, not of PostgreSQL, .*set the variable that it reads/s,
    },
    {
      name: "a chain without revisions, whose folder env.py sets too late",
      options: [],
      spoil: () => {
        const env = readFileSync(`${project.folder}/alembic/env.py`, "utf8");
        project.write("alembic/env.py", `${env}\ncontext.config.set_main_option("version_locations", "elsewhere")\n`);
        project.write("alembic.ini", "[alembic]\nscript_location = alembic\nversion_locations = empty\n");
        project.write("empty/README", "");
      },
      says: /no revisions in empty: set version_locations in alembic\.ini, .*create the first revision: pulumi-alembic revision -m <title>/,
    },
    {
      name: "an env.py that runs nothing",
      options: [],
      spoil: () => project.write("alembic/env.py", ""),
      says: /run_migrations\(\) 0 times/,
    },
  ];
  for (const { name, options, spoil, says } of usage) {
    it(`exits with 2 at ${name}`, async () => {
      spoil?.();
      const { code, stderr } = await lock(...options);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /\n {4}at /);
      assert.equal(code, 2);
    });
  }
});
