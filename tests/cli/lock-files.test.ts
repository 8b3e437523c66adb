import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lock } from "../../src/lockfile/lock.ts";
import { readLock } from "../../src/lockfile/read-lock.ts";
import { ChainProject, env, type RevisionSource } from "../fixtures/chains/project.ts";
import { lockChain } from "./locked-chain.ts";
import { alembicPython, type CommandResult, unity } from "./unity.ts";

const imports = ["import os, sys", "from pathlib import Path", 'sys.path.insert(0, os.path.abspath("alembic"))'];
const reads = (path: string) => [...imports, `op.execute(Path(${path}).read_text())`];

/** Revisions that read files, and the paths that each one is locked with. */
const cases: readonly [id: string, body: readonly string[], files: readonly string[]][] = [
  ["beside", reads('__file__).with_name("beside.sql"'), ["alembic/versions/beside.sql"]],
  ["below", reads('"alembic/sql/below.sql"'), ["alembic/sql/below.sql"]],
  ["linked", reads('"link/linked.sql"'), ["alembic/sql/linked.sql"]],
  ["os", [...imports, 'os.close(os.open("alembic/sql/os.sql", os.O_RDONLY))'], ["alembic/sql/os.sql"]],
  ["by a helper", [...imports, "import helper", 'op.execute(helper.load("helped"))'], ["alembic/sql/helped.sql"]],
  ["again", [...imports, "import helper", 'op.execute(helper.load("helped"))'], ["alembic/sql/helped.sql"]],
  ["elsewhere", reads('"elsewhere.sql"'), []],
  ["written", [...imports, 'Path("alembic/log").write_text("x")', "sys.stdout.write('')"], []],
  ["listed", [...imports, 'os.listdir("alembic/sql")', 'os.path.exists("alembic/sql/below.sql")'], []],
  ["missing", [...imports, 'try: open("alembic/none.sql")', "except OSError: pass"], []],
];

const files: Readonly<Record<string, string>> = {
  "elsewhere.sql": "SELECT 1",
  "alembic/helper.py":
    'from pathlib import Path\nimport constants\nROOT = Path(__file__).parent / "sql"\nSHARED = (ROOT / "shared.sql").read_text()\n' +
    'def load(name):\n    return (ROOT / f"{name}.sql").read_text()\n',
  "alembic/constants.py": "",
  "alembic/unused.py": "",
  "alembic/README": "",
  "alembic/.env": "",
  "alembic/versions/beside.sql": "SELECT 1",
  ...Object.fromEntries(
    ["below", "linked", "os", "helped", "shared", "unused"].map((name) => [`alembic/sql/${name}.sql`, "SELECT 1"]),
  ),
};

const shared = ["alembic/constants.py", "alembic/env.py", "alembic/helper.py", "alembic/sql/shared.sql"];

describe("files below the script folder", () => {
  describe("that Alembic reads as it renders the chain", () => {
    let project: ChainProject;
    let lock: Lock;
    before(async () => {
      const chain: RevisionSource[] = cases.map(([id, upgrade], index) => ({
        id,
        upgrade,
        down: cases[index - 1]?.[0],
        file: `alembic/versions/${index}.py`,
      }));
      project = new ChainProject(chain);
      for (const [path, text] of Object.entries(files)) project.write(path, text);
      symlinkSync(join(project.folder, "alembic", "sql"), join(project.folder, "link"));
      const { code, stderr } = await lockProject(project.folder);
      assert.equal(code, 0, stderr);
      lock = readLock(project.lock);
    });
    after(() => project.delete());

    for (const [id, , expected] of cases) {
      it(`are locked with the revision that reads them: ${id}`, () => {
        const revision = lock.revisions.find((each) => each.id === id);
        assert.deepEqual(Object.keys(revision?.files ?? assert.fail(id)), expected);
      });
    }

    it("are locked with the chain if env.py or modules read or import them", () => {
      assert.deepEqual(Object.keys(lock.files), shared);
    });

    it("are compared by lock --check", async () => {
      project.write("alembic/versions/beside.sql", "SELECT 2");
      project.write("alembic/constants.py", "CHANGED = True");
      const { code, stdout } = await lockProject(project.folder, "--check");
      assert.equal(code, 1);
      assert.match(stdout, /env\.py and the modules of the chain:\n\s+files:\n\s+- alembic\/constants\.py e3b0c442/);
      assert.match(
        stdout,
        /changed beside .*\n\s+files:\n\s+- alembic\/versions\/beside\.sql .*\n\s+\+ alembic\/versions/,
      );
      assert.match(stdout, /--rewrite beside\n/);
    });
  });

  it("are all locked if a revision's SQL is not known, but for hidden files", async () => {
    const upgrade = [...imports, "import helper", 'list(op.get_bind().execute(sa.text("SELECT 1")))'];
    const { lock } = await lockChain([{ id: "one", upgrade }], files);
    const unread = Object.keys(files).filter((path) => /alembic\/.*\.(sql|py)$/.test(path) && !shared.includes(path));
    assert.deepEqual(Object.keys(lock.files), [...shared, ...unread].sort());
  });

  it("are locked with the chain if env.py reads them, but for hidden ones", async () => {
    const opened = ["values.csv", ".env"].map((name) => `open("alembic/${name}").close()\n`);
    const text = env.replace("import os\n", `import os\n${opened.join("")}`);
    const given = { "alembic/env.py": text, "alembic/values.csv": "1", "alembic/.env": "PASSWORD=x" };
    const { lock } = await lockChain([{ id: "one" }], given);
    assert.deepEqual(Object.keys(lock.files), ["alembic/env.py", "alembic/values.csv"]);
  });

  /** Leaves bytecode of another text of a file, which Python takes for that of the file. */
  const compile = [
    "import os, pathlib, py_compile, sys",
    "path, cache, text = sys.argv[1:]",
    "path = pathlib.Path(path)",
    "reviewed = path.read_text()",
    "path.write_text(text)",
    "os.utime(path, (0, 0))",
    "py_compile.compile(path, cfile=cache or None)",
    "path.write_text(reviewed)",
    "os.utime(path, (0, 0))",
  ].join("\n");

  for (const [how, body] of [
    ["itself", ["open('.env').close()"]],
    ["by a package", ["__import__('dotenv').load_dotenv('.env')"]],
    ["below the script folder", ["import helper", "helper.Path('alembic/.env').read_text()"]],
  ] as const) {
    it(`are rejected if a revision reads variables of .env ${how}`, async () => {
      const project = new ChainProject([{ id: "one", upgrade: [...imports, ...body] }]);
      try {
        for (const [path, text] of Object.entries(files)) project.write(path, text);
        project.write(".env", "A=1");
        project.write("lib/site-packages/dotenv.py", "def load_dotenv(path):\n    open(path).close()\n");
        project.write("alembic/env.py", `import sys\nsys.path.append("lib/site-packages")\n${env}`);
        const { code, stderr } = await lockProject(project.folder);
        assert.match(stderr, /alembic\/versions\/one\.py reads (alembic\/)?\.env, whose variables differ .*-x/s);
        assert.equal(code, 2);
      } finally {
        project.delete();
      }
    });
  }

  it("are not locked if they are settings that a module reads for a revision", async () => {
    const helper = "def settings():\n    open('.env').close()\n";
    const upgrade = [...imports, "import helper", "helper.settings()", "op.execute('SELECT 1')"];
    const { lock, revision } = await lockChain([{ id: "one", upgrade }], {
      "alembic/helper.py": helper,
      ".env": "A=1",
    });
    assert.deepEqual(Object.keys(lock.files), ["alembic/env.py", "alembic/helper.py"]);
    assert.deepEqual(revision("one").upgrade, { sql: ["SELECT 1;"] });
  });

  it("are rejected if git ignores them", async () => {
    const project = new ChainProject([{ id: "one", upgrade: reads('"alembic/local.sql"') }]);
    try {
      project.write("alembic/local.sql", "SELECT 1");
      project.write(".gitignore", "local.*\n");
      assert.equal((await lockProject(project.folder)).code, 0);
      assert.equal(spawnSync("git", ["init", "--quiet"], { cwd: project.folder }).status, 0);
      const { code, stderr } = await lockProject(project.folder, "--check");
      assert.match(stderr, /files that git ignores can't be reviewed: alembic\/local\.sql\n/);
      assert.equal(code, 2);
    } finally {
      project.delete();
    }
  });

  it("run as they are, whatever their bytecode does", async () => {
    const { project, bytecode } = await projectWithHelper();
    try {
      bytecode("alembic/helper.py", "", "NAME = 'other'");
      const { code, stderr } = await lockProject(project.folder);
      assert.equal(code, 0, stderr);
      assert.deepEqual(readLock(project.lock).revisions[0]?.upgrade, { sql: ["CREATE TABLE three ();"] });
    } finally {
      project.delete();
    }
  });

  it("are rejected if they are bytecode only", async () => {
    const { project, bytecode } = await projectWithHelper();
    try {
      bytecode("alembic/helper.py", "alembic/helper.pyc", "NAME = 'three'");
      project.remove("alembic/helper.py");
      const { code, stderr } = await lockProject(project.folder);
      assert.match(stderr, /alembic\/helper\.pyc is bytecode without its source, .* Add alembic\/helper\.py/);
      assert.equal(code, 2);
    } finally {
      project.delete();
    }
  });

  async function projectWithHelper() {
    const upgrade = [...imports, "import helper", 'op.execute(f"CREATE TABLE {helper.NAME} ()")'];
    const project = new ChainProject([{ id: "one", upgrade }]);
    project.write("alembic/helper.py", "NAME = 'three'");
    const python = await alembicPython();
    const bytecode = (file: string, cache: string, text: string) => {
      const { status } = spawnSync(python, ["-c", compile, file, cache, text], { cwd: project.folder });
      assert.equal(status, 0);
    };
    return { project, bytecode };
  }

  it("are the same if there is bytecode of them", async () => {
    const project = new ChainProject([{ id: "one", upgrade: [...imports, "import helper"] }]);
    const copy = mkdtempSync(join(tmpdir(), "unity-bytecode-"));
    try {
      for (const [path, text] of Object.entries(files)) project.write(path, text);
      const options = ["-c", "import compileall; compileall.compile_dir('.', quiet=2)"];
      cpSync(project.folder, copy, { recursive: true });
      assert.equal(spawnSync(await alembicPython(), options, { cwd: copy }).status, 0);
      for (const folder of [project.folder, copy]) assert.equal((await lockProject(folder)).code, 0);
      assert.deepEqual(readLock(join(copy, "migrations.lock.json")), readLock(project.lock));
    } finally {
      rmSync(copy, { recursive: true });
      project.delete();
    }
  });
});

async function lockProject(folder: string, ...options: readonly string[]): Promise<CommandResult> {
  return unity("lock", "--backend", folder, "--python", await alembicPython(), ...options);
}
