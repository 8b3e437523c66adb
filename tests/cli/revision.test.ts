import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { projectRoot } from "../../src/paths.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { alembicPython, type CommandResult, unity } from "./unity.ts";

const id = /^[0-9a-f]{12}$/;
const twoHeads: readonly RevisionSource[] = [
  { id: "first" },
  { id: "left", down: "first" },
  { id: "right", down: "first" },
];

describe("pulumi-alembic revision", () => {
  let python: string;
  before(async () => {
    python = await alembicPython();
  });

  describe("in the backend", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "unity-backend-"));
      cpSync(join(projectRoot, "backend"), folder, { recursive: true });
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const revision = (...options: readonly string[]) =>
      unity("revision", "--backend", folder, "--python", python, ...options);
    const versions = () => readdirSync(join(folder, "alembic", "versions")).filter((name) => name.endsWith(".py"));

    it("creates a file on the head, which `lock` records with its title and date", async () => {
      const before = versions();
      const { code, stdout, stderr } = await revision("-m", "Add a table", "--json");
      assert.equal(code, 0, stderr);
      const made = JSON.parse(stdout);
      assert.match(made.revision, id);
      assert.deepEqual(made.downRevisions, ["add_plugin_execution"]);
      assert.ok(made.file.endsWith(`/alembic/versions/${made.revision}_add_a_table.py`), made.file);
      assert.equal(versions().length, before.length + 1);

      const locked = await unity("lock", "--backend", folder, "--python", python);
      assert.equal(locked.code, 0, locked.stderr);
      const path = join(folder, "migrations.lock.json");
      const last = parseLock(readFileSync(path, "utf8"), path).revisions.at(-1);
      assert.deepEqual([last?.id, last?.title], [made.revision, "Add a table"]);
      assert.match(last?.date ?? "", /^20\d\d-\d\d-\d\d \d\d:/);
    });

    it("prints the file and the next commands with their options", async () => {
      const { stdout } = await revision("--message", "Add a table", "--rev-id", "add_a_table");
      assert.match(
        stdout,
        /^Created \S+versions\/add_a_table_add_a_table\.py: revision add_a_table, after add_plugin_exec/,
      );
      assert.ok(stdout.includes(`npm run unity -- lock --backend ${folder} --python ${python}`), stdout);
    });

    it("accepts a title with quotes or that starts like an option", async () => {
      for (const title of ['Say "when"', "--merge"]) {
        const { code, stdout, stderr } = await revision(`--message=${title}`, "--json");
        assert.equal(code, 0, stderr);
        const text = readFileSync(join(projectRoot, JSON.parse(stdout).file), "utf8");
        assert.ok(text.startsWith(`"""${title}\n`), text);
      }
    });

    const rejected: readonly [what: string, options: readonly string[], says: RegExp][] = [
      ["no title", [], /required option '-m, --message <title>' not specified/],
      ["an empty title", ["-m", " "], /It must describe the revision/],
      ["a title of two lines", ["-m", "a\nb"], /one line/],
      ["an id that is too long for `alembic_version`", ["-m", "x", "--rev-id", "x".repeat(33)], /1 to 32 letters/],
      ["an id that is reserved by Alembic", ["-m", "x", "--rev-id", "head"], /head, heads, and base are reserved/],
      [
        "an existing id",
        ["-m", "x", "--rev-id", "8f3d9e2a1c45"],
        /revision id 8f3d9e2a1c45 already exists in alembic\/versions\/8f3d9e2a1c45_alert_rules\.py/,
      ],
      ["a merge of one head", ["-m", "x", "--merge"], /nothing to merge: the chain has one head, add_plugin_execution/],
    ];
    for (const [what, options, says] of rejected) {
      it(`creates no file for ${what}`, async () => {
        const before = versions();
        const { code, stderr } = await revision(...options);
        assert.equal(code, 2);
        assert.match(stderr, says);
        assert.deepEqual(versions(), before);
      });
    }
  });

  describe("in another project", () => {
    let project: ChainProject;
    afterEach(() => project.delete());

    const revision = (...options: readonly string[]): Promise<CommandResult> =>
      unity("revision", "--backend", project.folder, "--python", python, "--json", ...options);
    const template = () =>
      project.write(
        "alembic/script.py.mako",
        readFileSync(join(projectRoot, "backend/alembic/script.py.mako"), "utf8"),
      );

    it("creates the first revision of a chain", async () => {
      project = new ChainProject([]);
      template();
      const { code, stdout, stderr } = await revision("-m", "Initial");
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout).downRevisions, []);
    });

    it("rejects two heads, and merges them", async () => {
      project = new ChainProject(twoHeads);
      template();
      const rejected = await revision("-m", "More");
      assert.equal(rejected.code, 2);
      assert.match(
        rejected.stdout,
        /the chain has 2 heads: left, right; .* npm run unity -- revision --merge -m <title> /,
      );

      const merged = await revision("-m", "Merge the heads", "--merge");
      assert.equal(merged.code, 0, merged.stderr);
      assert.deepEqual(JSON.parse(merged.stdout).downRevisions, ["left", "right"]);
      const more = await revision("-m", "More");
      assert.deepEqual(JSON.parse(more.stdout).downRevisions, [JSON.parse(merged.stdout).revision]);
    });

    const broken: readonly [what: string, spoil: () => void, says: RegExp][] = [
      [
        "no alembic.ini",
        () => project.remove("alembic.ini"),
        /no alembic\.ini or pyproject\.toml in .*--backend <folder>/s,
      ],
      ["an invalid Python file", () => project.write("alembic/versions/bad.py", "def"), /SyntaxError/],
      ["no template", () => {}, /can't create a revision in .*script\.py\.mako/],
    ];
    for (const [what, spoil, says] of broken) {
      it(`exits with 2 at ${what}`, async () => {
        project = new ChainProject([{ id: "first" }]);
        spoil();
        const { code, stdout } = await revision("-m", "More");
        assert.equal(code, 2);
        assert.match(JSON.parse(stdout).error.message, says);
        assert.doesNotMatch(stdout, /\n {4}at /);
      });
    }
  });
});
