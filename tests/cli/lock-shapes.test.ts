import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { renderChain } from "../../src/cli/lock/rendered-chain.ts";
import { type Lock, plainAlembic } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { verifyLockedFiles } from "../../src/lockfile/read-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject, env, linearChain, type RevisionSource } from "../fixtures/chains/project.ts";
import { alembicPython, unity } from "./unity.ts";

const script = join(projectRoot, "src", "cli", "lock", "render_chain.py");

describe("pulumi-alembic lock on other chains", () => {
  let python: string;
  let project: ChainProject | undefined;
  before(async () => {
    python = await alembicPython();
  });
  afterEach(() => project?.delete());

  /** Locks a chain, verifies the lockfile, and returns it with the output. */
  async function lock(revisions: readonly RevisionSource[], locations?: readonly string[]): Promise<[Lock, string]> {
    project = new ChainProject(revisions, locations);
    const { code, stdout, stderr } = await unity("lock", "--backend", project.folder, "--python", python);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const written = parseLock(readFileSync(project.lock, "utf8"), project.lock);
    assert.deepEqual(verifyLockedFiles(written, project.folder), []);
    return [written, stdout];
  }

  it("keeps branches, labels, and the merge point in the same order", async () => {
    const chain: readonly RevisionSource[] = [
      { id: "root" },
      { id: "left", down: "root", branchLabel: "sinister" },
      { id: "right", down: "root" },
      { id: "left2", down: "left" },
      { id: "merged", down: ["left2", "right"], upgrade: ["pass"], downgrade: ["pass"] },
    ];
    const [{ revisions, heads, bases }] = await lock(chain);
    assert.deepEqual([heads, bases], [["merged"], ["root"]]);
    assert.deepEqual(
      revisions.map(({ id, downRevisions, branchLabels }) => [id, downRevisions, branchLabels]),
      [
        ["root", [], []],
        ["left", ["root"], ["sinister"]],
        ["left2", ["left"], []],
        ["right", ["root"], []],
        ["merged", ["left2", "right"], []],
      ],
    );
    assert.deepEqual(revisions.at(-1)?.upgrade, { sql: [] });
    assert.equal(revisions.at(-1)?.reversible, true);
    assert.equal(revisions.at(-1)?.rollbackBlocker, "joins branches");
  });

  it("records the version table and its schema", async () => {
    project = new ChainProject(linearChain(1));
    const options = `options = {"version_table": "Versions", "version_table_schema": "billing", "version_table_pk": False, `;
    project.write("alembic/env.py", env.replace("options = {", options));
    const { code, stdout, stderr } = await unity("lock", "--backend", project.folder, "--python", python);
    assert.equal(code, 0, `${stdout}${stderr}`);
    const { versionTable, revisions } = parseLock(readFileSync(project.lock, "utf8"), project.lock);
    assert.deepEqual(versionTable, { schema: "billing", name: "Versions" });
    assert.doesNotMatch(JSON.stringify(revisions), /Versions|version_num/);
  });

  it("supports several bases, heads, version locations, and dependencies by label", async () => {
    const chain: readonly RevisionSource[] = [
      { id: "00001_core", file: "core/1767484908 the first-one.py", branchLabel: "core" },
      { id: "plugin", file: "more/versions/plügin.v1.py", dependsOn: "core" },
    ];
    const [{ revisions, heads, bases, versionLocations }, said] = await lock(chain, ["core", "more/versions"]);
    assert.match(
      said,
      /2 heads: 00001_core, plugin; only one is allowed\. To merge them, run: npm run unity -- revision --merge/,
    );
    assert.deepEqual(versionLocations, ["core", "more/versions"]);
    assert.deepEqual(
      [heads, bases],
      [
        ["00001_core", "plugin"],
        ["00001_core", "plugin"],
      ],
    );
    assert.deepEqual(
      revisions.map(({ file, dependsOn }) => [file, dependsOn]),
      [
        ["core/1767484908 the first-one.py", []],
        ["more/versions/plügin.v1.py", ["00001_core"]],
      ],
    );
  });

  it("renders a chain of 1,000 revisions in one process", async () => {
    const [{ revisions }] = await lock(linearChain(1000));
    assert.equal(revisions.length, 1000);
    assert.deepEqual(revisions.at(-1)?.tables?.created, ["t_r1000"]);
  });

  it("finds revisions where env.py sends Alembic", async () => {
    project = new ChainProject([{ id: "first", file: "elsewhere/first.py" }]);
    const env = readFileSync(`${project.folder}/alembic/env.py`, "utf8");
    const folder = 'os.path.join(os.getcwd(), "elsewhere")';
    project.write(
      "alembic/env.py",
      env.replace("\noptions", `\ncontext.script.version_locations = [${folder}]\noptions`),
    );
    const { revisions, versionLocations } = await renderChain(project.folder, python);
    assert.deepEqual([revisions.map(({ id }) => id), versionLocations], [["first"], ["elsewhere"]]);
  });

  it("has the same bytes in twenty runs", async () => {
    const indexed = (other: string) =>
      [..."abcdefgh"]
        .map((name) => `sa.Column("${name}", sa.Integer, sa.ForeignKey("${other}.${name}"), index=True)`)
        .join(", ");
    // Tables whose foreign keys are a cycle, which SQLAlchemy adds last.
    const models = [
      "import sqlalchemy as sa",
      "metadata = sa.MetaData()",
      `sa.Table("m", metadata, ${indexed("o")})`,
      `sa.Table("o", metadata, ${indexed("m")})\n`,
    ];
    const importing = ["import os, sys", "sys.path.insert(0, os.getcwd())", "import models"];
    project = new ChainProject([
      { id: "indexes", upgrade: [`op.create_table("n", ${indexed("m")})`] },
      {
        id: "models",
        down: "indexes",
        upgrade: [...importing, "models.metadata.create_all(op.get_bind(), checkfirst=False)"],
      },
    ]);
    project.write("models.py", models.join("\n"));
    const text = renderTwenty(project.folder);
    assert.doesNotMatch(text, /"sql": null/);
  });

  for (const app of ["backend", "examples/notes/app"]) {
    it(`has the same bytes in twenty runs of ${app}`, () => {
      assert.match(renderTwenty(join(projectRoot, app)), /"CREATE TABLE /);
    });
  }

  /** Renders a chain in processes whose sets have different orders, and returns their only output. */
  function renderTwenty(folder: string): string {
    const texts = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const env = { ...process.env, PYTHONHASHSEED: `${seed}`, PYTHONPATH: join(projectRoot, "src", "runner") };
      const args = ["-B", script, JSON.stringify(plainAlembic)];
      const { status, stdout, stderr } = spawnSync(python, args, { cwd: folder, env, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      texts.add(stdout);
    }
    assert.equal(texts.size, 1);
    return [...texts].join();
  }

  it("ignores output of env.py and compiled files of an earlier run", async () => {
    project = new ChainProject(linearChain(1));
    project.write("alembic/env.py", `print("{")\n${readFileSync(`${project.folder}/alembic/env.py`, "utf8")}`);
    assert.equal((await unity("lock", "--backend", project.folder, "--python", python)).code, 0);
    assert.throws(() => rmSync(`${project?.folder}/alembic/versions/__pycache__`, { recursive: true }), /ENOENT/);
  });
});
