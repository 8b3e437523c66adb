import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expectedOf } from "../../src/checks/result.ts";
import { runChecks } from "../../src/checks/run.ts";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { head, type Lock } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { verifyLockedFiles } from "../../src/lockfile/read-lock.ts";
import { readRunnerFiles, runnerConfigMapData } from "../../src/manifests/runner-files.ts";
import { checkTarget } from "../support/checks.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";
import { deployment, servingPod } from "../support/kubernetes.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { type CommandResult, unity } from "./unity.ts";

const requirements = join(import.meta.dirname, "layouts-requirements.txt");

/** An env.py with this expression for the URL. */
function env(url: string, more = "", options = ""): string {
  return `import os

from alembic import context
from sqlalchemy import create_engine, pool
${more}
url = ${url}.replace("postgresql://", "postgresql+psycopg://", 1)

if context.is_offline_mode():
    context.configure(url=url${options})
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(connection=connection${options})
        with context.begin_transaction():
            context.run_migrations()
`;
}

const plainEnv = env('os.environ["DATABASE_URL"]');

/** A revision that creates a table. */
function revision(id: string, down: string | null, table: string, more = ""): string {
  return `"""Revision ${id}"""
import sqlalchemy as sa
from alembic import context, op
${more}
revision = "${id}"
down_revision = ${down === null ? "None" : `"${down}"`}


def upgrade():
    op.create_table(${table}, sa.Column("id", sa.BigInteger, primary_key=True))


def downgrade():
    op.drop_table(${table})
`;
}

const flaskApp = `import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()


def create_app():
    app = Flask("carts")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    db.init_app(app)
    migrate.init_app(app, db)
    return app
`;

interface Layout {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Files that are not in the image, because it has them in an installed package. */
  readonly installed?: readonly string[];
  /** Files of a developer's machine, which are not in the image. */
  readonly local?: readonly string[];
  /** Command that makes the project's other files. */
  readonly init?: readonly string[];
  readonly options?: readonly string[];
  readonly alembic?: Partial<Lock["alembic"]>;
  readonly locked: readonly string[];
  readonly locations: readonly string[];
  readonly tables: readonly string[];
  /** Other files that are locked, if they are compared. */
  readonly others?: readonly string[];
}

const pyproject = `[tool.alembic]
script_location = "%(here)s/alembic"
prepend_sys_path = ["."]
version_locations = ["%(here)s/alembic/versions", "%(here)s/billing"]
`;
const logging = "[alembic]\n[loggers]\nkeys = root\n";
const pythonPackage = `[build-system]
requires = ["setuptools==80.9.0"]
build-backend = "setuptools.build_meta"

[project]
name = "parcels"
version = "1.0"

[tool.setuptools.packages.find]
where = ["src"]
namespaces = true
`;
const twoFolders = {
  "alembic/env.py": plainEnv,
  "alembic/versions/one.py": revision("one", null, '"one"'),
  "billing/two.py": revision("two", "one", '"two"'),
};
const folders = {
  locked: ["alembic/versions/one.py", "billing/two.py"],
  locations: ["alembic/versions", "billing"],
  tables: ["one", "two"],
};

const layouts: readonly Layout[] = [
  { name: "pyproject.toml alone", files: { "pyproject.toml": pyproject, ...twoFolders }, ...folders },
  {
    name: "pyproject.toml and alembic.ini",
    files: { "pyproject.toml": pyproject, "alembic.ini": logging, ...twoFolders },
    ...folders,
  },
  {
    name: "configuration at other paths",
    files: {
      "deploy/pyproject.toml": pyproject.replaceAll("here)s", "here)s/.."),
      "deploy/db.ini": logging,
      ...twoFolders,
    },
    options: ["--config", "deploy/pyproject.toml", "--config", "deploy/db.ini"],
    alembic: { config: ["deploy/pyproject.toml", "deploy/db.ini"] },
    ...folders,
  },
  {
    name: "an installed package",
    files: {
      "alembic.ini": "[alembic]\nscript_location = parcels:migrations\n",
      "pyproject.toml": pythonPackage,
      "src/parcels/__init__.py": "",
      "src/parcels/migrations/env.py": plainEnv,
      "src/parcels/migrations/versions/one.py": revision("one", null, '"one"'),
    },
    installed: ["src", "pyproject.toml"],
    locked: ["parcels:migrations/versions/one.py"],
    locations: ["parcels:migrations/versions"],
    tables: ["one"],
  },
  {
    name: "a package that is not installed",
    files: {
      "alembic.ini": "[alembic]\nscript_location = parcels:migrations\nprepend_sys_path = src\n",
      "src/parcels/__init__.py": "",
      "src/parcels/migrations/env.py": plainEnv,
      "src/parcels/migrations/versions/one.py": revision("one", null, '"one"'),
    },
    locked: ["parcels:migrations/versions/one.py"],
    locations: ["parcels:migrations/versions"],
    tables: ["one"],
  },
  {
    name: "Flask-Migrate",
    files: {
      "shop.py": flaskApp,
      "migrations/versions/one.py": revision("one", null, "current_app.name", "from flask import current_app"),
    },
    init: ["flask", "--app", "shop:create_app", "db", "init"],
    options: ["--flask-app", "shop:create_app"],
    alembic: { flaskApp: "shop:create_app" },
    locked: ["migrations/versions/one.py"],
    locations: ["migrations/versions"],
    tables: ["carts"],
  },
  {
    name: "Flask-Migrate with another folder and arguments",
    files: {
      "shop.py": flaskApp,
      "db/versions/one.py": revision("one", null, 'context.get_x_argument(as_dictionary=True)["table"]'),
    },
    init: ["flask", "--app", "shop:create_app", "db", "init", "--directory", "db"],
    options: ["--flask-app", "shop:create_app", "--config", "db/alembic.ini", "-x", "table=named"],
    alembic: { flaskApp: "shop:create_app", config: ["db/alembic.ini"], x: ["table=named"] },
    locked: ["db/versions/one.py"],
    locations: ["db/versions"],
    tables: ["named"],
  },
  {
    name: "arguments of -x",
    files: {
      "alembic.ini": "[alembic]\nscript_location = alembic\n",
      "alembic/env.py": env('os.environ["DATABASE_URL"]', 'x = context.get_x_argument(as_dictionary=True)["a"]'),
      "alembic/versions/one.py": revision("one", null, '"".join(context.get_x_argument())'),
    },
    options: ["-x", "a=b c", "-x", "-d"],
    alembic: { x: ["a=b c", "-d"] },
    locked: ["alembic/versions/one.py"],
    locations: ["alembic/versions"],
    tables: ["a=b c-d"],
  },
  {
    name: "a URL of alembic.ini that env.py completes",
    files: {
      "alembic.ini": "[alembic]\nscript_location = alembic\nsqlalchemy.url = %(URL)s?application_name=%(NAME)s\n",
      "alembic/env.py": env(
        'context.config.get_main_option("sqlalchemy.url")',
        'for name, value in {"URL": os.environ["DATABASE_URL"], "NAME": "100%"}.items():\n    context.config.set_main_option(name, value)',
      ),
      "alembic/versions/one.py": revision("one", null, '"one"'),
    },
    locked: ["alembic/versions/one.py"],
    locations: ["alembic/versions"],
    tables: ["one"],
  },
  {
    name: "the app's folder as the script folder",
    files: {
      "alembic.ini": "[alembic]\nscript_location = .\nprepend_sys_path = .\n",
      "env.py": env(
        'os.environ["DATABASE_URL"]',
        'import shop.settings\nif os.path.exists("local.cfg"):\n    open("local.cfg").close()',
      ),
      "shop/__init__.py": "",
      "shop/settings.py": "from dotenv import load_dotenv\nload_dotenv('.env')",
      "shop/tables.py": 'THREE = "three"',
      "data/four.sql": "CREATE TABLE four ()",
      "local.cfg": "",
      ".env": "DEBUG=1",
      "versions/one.py": revision("one", null, '"one"', "import shop.settings"),
      "versions/two.sql": "CREATE TABLE two ()",
      "versions/two.py": `"""After a query"""
from alembic import op
from sqlalchemy import text
revision = "two"
down_revision = "one"
def upgrade():
    op.get_bind().execute(text("SELECT 1")).scalar()
    op.execute(open("versions/two.sql").read())
    from shop.tables import THREE
    op.execute(f"CREATE TABLE {THREE} ()")
    op.execute(open("data/four.sql").read())
`,
    },
    local: [".env", "local.cfg"],
    locked: ["versions/one.py", "versions/two.py"],
    locations: ["versions"],
    tables: ["one", "two", "three", "four"],
    others: ["env.py", "shop/__init__.py", "shop/settings.py", "versions/two.sql"],
  },
];

/** A temporary folder with files. */
class Files {
  readonly folder = mkdtempSync(join(tmpdir(), "unity-layout-"));

  write(files: Readonly<Record<string, string>>): void {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      writeFileSync(join(this.folder, file), text);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe("projects of every layout", () => {
  let packages: string;
  let postgres: Postgres;
  let databases = 0;
  before(async function () {
    this.timeout("300s");
    packages = await environment(requirements);
    postgres = await startPostgres();
  });
  after(() => postgres?.stop());

  function environment(file: string): Promise<string> {
    return pythonEnvironment({ requirements: file, report: (line) => process.stderr.write(`${line}\n`) });
  }

  function python(interpreter: string, args: readonly string[], cwd: string, url: string): CommandResult {
    const environment = { ...process.env, DATABASE_URL: url, PYTHONDONTWRITEBYTECODE: "1" };
    const { status: code, stdout, stderr } = spawnSync(interpreter, args, { cwd, env: environment, encoding: "utf8" });
    return { code, stdout, stderr };
  }

  /** Makes the project of a layout. Returns the interpreter of its environment. */
  async function make(project: Files, { files, init, installed = [] }: Layout): Promise<string> {
    const app = project.folder;
    if (init !== undefined) {
      project.write({ "shop.py": flaskApp });
      const [program = "", ...args] = init;
      const made = python(join(dirname(packages), program), args, app, "postgresql://a:b@localhost/c");
      assert.equal(made.code, 0, made.stderr);
    }
    project.write(files);
    if (installed.length === 0) return packages;
    copyFileSync(requirements, join(app, "packages.txt"));
    project.write({ "requirements.txt": "-r packages.txt\n.\n" });
    return environment(join(app, "requirements.txt"));
  }

  /** Runs SQL, and returns the rows. */
  function query(url: string, sql: string): readonly (readonly unknown[])[] {
    const program = `import json, sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    cursor = connection.execute(sys.argv[2])
    print(json.dumps(cursor.fetchall() if cursor.description else []))`;
    const { code, stdout, stderr } = python(packages, ["-c", program, url, sql], tmpdir(), url);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  /** Creates a database, and a role that owns it with this password. */
  function database(password: string): string {
    const name = `layout${++databases}`;
    query(postgres.url, `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
    query(postgres.url, `CREATE DATABASE ${name} OWNER ${name}`);
    const url = new URL(postgres.url);
    Object.assign(url, { username: name, password: encodeURIComponent(password), pathname: name });
    return url.href;
  }

  /** Runs the runner as in the container. */
  function run(mode: string, interpreter: string, image: string, lock: Lock, url: string): CommandResult {
    using files = new Files();
    files.write(runnerConfigMapData({ lock, runnerFiles: readRunnerFiles() }));
    const args = [join(files.folder, "migrate.py"), mode, `--chain=${join(files.folder, "chain.json")}`];
    return python(interpreter, args, image, url);
  }

  /** Runs the check `image` in an image on this machine, and returns what it found. */
  async function checkImage(interpreter: string, image: string, lock: Lock): Promise<string> {
    using files = new Files();
    files.write({ "items.json": JSON.stringify({ items: [...deployment(1), servingPod("rs2")] }) });
    using fake = kubectlProgram(`#!/bin/sh
case "$*" in *" get "*) exec cat ${files.folder}/items.json ;; esac
while [ "$1" != -- ]; do shift; done
shift 2
export DATABASE_URL=postgresql://a:b@postgres-service/c
cd ${image} && exec ${interpreter} -B "$@"
`);
    const target = checkTarget({ namespace: "unity", head: head(lock), checks: ["image"] });
    const [result] = await runChecks(expectedOf(target, lock), () => {}, fake.kubectl);
    return result?.passed ? "passed" : (result?.found ?? "");
  }

  for (const layout of layouts) {
    const { name, options = [], installed = [], local = [], alembic, locked, locations, tables, others } = layout;
    it(`locks, checks, and runs ${name}`, async () => {
      using project = new Files();
      const app = project.folder;
      const interpreter = await make(project, layout);
      const args = ["lock", "--backend", app, "--python", interpreter];
      const { code, stdout, stderr } = await unity(...args, ...options);
      assert.equal(code, 0, `${stdout}${stderr}`);
      const path = join(app, "migrations.lock.json");
      const lock = parseLock(readFileSync(path, "utf8"), path);
      assert.deepEqual(lock.alembic, { config: [], x: [], flaskApp: null, ...alembic });
      assert.deepEqual([lock.revisions.map(({ file }) => file), lock.versionLocations], [locked, locations]);
      if (others !== undefined) assert.deepEqual(Object.keys(lock.files), others);
      assert.doesNotMatch(readFileSync(path, "utf8"), new RegExp(`${app}|site-packages`));
      assert.deepEqual(verifyLockedFiles(lock, app), []);
      // The lockfile knows how Alembic is called.
      const again = await unity(...args, "--check");
      assert.match(again.stdout, /up to date/);
      assert.equal(/rendered as: (alembic|flask) /.test(again.stdout), options.length > 0, again.stdout);

      for (const file of [...installed, ...local]) rmSync(join(app, file), { recursive: true });
      const url = database("p%40ss%");
      assert.equal(await checkImage(interpreter, app, lock), "passed");
      const upgraded = run("upgrade", interpreter, app, lock, url);
      assert.equal(upgraded.code, 0, `${upgraded.stdout}${upgraded.stderr}`);
      assert.deepEqual(
        query(
          url,
          "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
        ),
        ["alembic_version", ...tables].sort().map((table) => [table]),
      );
      assert.equal(run("wait", interpreter, app, lock, url).code, 0);
    });
  }

  const rejected: readonly (readonly [name: string, options: readonly string[], says: RegExp])[] = [
    ["two INI files", ["--config", "a.ini", "--config", "b/a.ini"], /at most one pyproject\.toml and one other file/],
    ["a missing file", ["--config", "none.ini"], /none\.ini not found in .*relative to that folder/s],
    ["an absolute path", ["--config", "/etc/alembic.ini"], /\/etc\/alembic\.ini: must be relative to /],
    ["an empty argument", ["-x", ""], /invalid value "" of --config, -x, or --flask-app/],
    ["an argument that acts on a terminal", ["-x", "a\u001b[2J"], /invalid value "a\\u001b\[2J" of /],
    [
      "Flask-Migrate without an option",
      ["--config", "flask.ini"],
      /Flask-Migrate, pass its application: --flask-app <app>/,
    ],
    ["Flask without an application", ["--flask-app", "none:app"], /Could not import 'none'/],
  ];
  for (const [name, options, says] of rejected) {
    it(`rejects ${name}`, async () => {
      using project = new Files();
      project.write({ "alembic.ini": "[alembic]\nscript_location = alembic\n", "flask.ini": "[alembic]\n" });
      const { code, stderr } = await unity("lock", "--backend", project.folder, "--python", packages, ...options);
      assert.match(stderr, says);
      assert.equal(code, 2);
    });
  }

  const several: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["alembic init multidb", ["alembic", "init", "--template", "multidb", "alembic"], []],
    [
      "flask db init --multidb",
      ["flask", "--app", "shop:create_app", "db", "init", "--multidb"],
      ["--flask-app", "shop"],
    ],
  ];
  for (const [name, init, options] of several) {
    it(`rejects the several databases of ${name}`, async () => {
      using project = new Files();
      const bound =
        'app.config["SQLALCHEMY_BINDS"] = {"other": app.config["SQLALCHEMY_DATABASE_URI"]}\n    db.init_app';
      const files = { "shop.py": flaskApp.replace("db.init_app", bound) };
      const interpreter = await make(project, { ...(layouts[0] as Layout), init, files });
      const ini = join(project.folder, "alembic.ini");
      if (existsSync(ini))
        writeFileSync(ini, readFileSync(ini, "utf8").replaceAll("driver://", "postgresql+psycopg://"));
      const { code, stderr } = await unity("lock", "--backend", project.folder, "--python", interpreter, ...options);
      assert.match(stderr, /env\.py configures several databases in one run, .*Give each database a folder/);
      assert.equal(code, 2);
    });
  }

  const created: readonly (readonly [name: string, says: RegExp])[] = [
    ["Flask-Migrate", /Created \S*migrations\/versions\/\w+_next\.py: revision \w+, after one/],
    ["an installed package", /revisions are in an installed package, .*replace its path by -e <path>/],
  ];
  for (const [name, says] of created) {
    it(`creates revisions only in the project of ${name}`, async () => {
      const layout = layouts.find((each) => each.name === name);
      assert.ok(layout);
      using project = new Files();
      const interpreter = await make(project, layout);
      const args = ["--backend", project.folder, "--python", interpreter];
      assert.equal((await unity("lock", ...args, ...(layout.options ?? []))).code, 0);
      const { stdout, stderr } = await unity("revision", ...args, "-m", "next");
      assert.match(`${stdout}${stderr}`, says);
    });
  }
});
