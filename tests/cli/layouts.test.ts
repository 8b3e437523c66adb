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
import { flaskApp, type Layout, layouts } from "./layouts.ts";
import { type CommandResult, unity } from "./unity.ts";

const requirements = join(import.meta.dirname, "layouts-requirements.txt");

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

  /** Locks a Flask application that queries the database while it is loaded. */
  async function lockQuerying(project: Files, handled: boolean) {
    const query = ["with app.app_context():", '    db.session.execute(db.text("SELECT 1"))'];
    const lines = handled ? ["try:", ...query.map((line) => `    ${line}`), "except Exception: pass"] : query;
    const layout = layouts.find(({ name }) => name === "Flask-Migrate") as Layout;
    const interpreter = await make(project, layout);
    project.write({
      "shop.py": flaskApp.replace("    return app", `${lines.map((line) => `    ${line}`).join("\n")}\n    return app`),
    });
    return unity("lock", "--backend", project.folder, "--python", interpreter, "--flask-app", "shop:create_app");
  }

  it("locks env.py if the Flask application handles the error of a query", async () => {
    using project = new Files();
    const { code, stdout, stderr } = await lockQuerying(project, true);
    assert.equal(code, 0, stdout + stderr);
    const path = join(project.folder, "migrations.lock.json");
    assert.deepEqual(parseLock(readFileSync(path, "utf8"), path).env, { sql: [] });
  });

  it("says that a query comes from the Flask application", async () => {
    using project = new Files();
    const { code, stderr } = await lockQuerying(project, false);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /NeedsDatabase: connects to a database or another host, while the Flask application is loaded/,
    );
  });

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
