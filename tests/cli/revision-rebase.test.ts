import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBase } from "../../src/cli/ci/base.ts";
import { Repository } from "../../src/cli/ci/git.ts";
import { rebase } from "../../src/cli/revision/rebase.ts";
import { compareBranches } from "../../src/lockfile/compare-branches.ts";
import { formatLock } from "../../src/lockfile/format-lock.ts";
import type { Lock, LockedRevision } from "../../src/lockfile/lock.ts";
import { parseLock } from "../../src/lockfile/parse-lock.ts";
import { lockOf } from "../fixtures/chains/locks.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { TestRepository } from "../support/repository.ts";
import { lockChain } from "./locked-chain.ts";
import { alembicPython, type CommandResult, unity } from "./unity.ts";

const progress = { doing() {}, print() {}, note() {}, end() {} };

/** The chain of both branches. */
const shared: readonly RevisionSource[] = [{ id: "first" }, { id: "top", down: "first" }];

/** Revisions that each branch adds, in pairs of a kind. IDs sort before and after that of the head. */
type Pair = readonly [what: string, ours: readonly RevisionSource[], theirs: readonly RevisionSource[]];

const on = (down: string, ...ids: readonly string[]): RevisionSource[] =>
  ids.map((id, index) => ({ id, down: ids[index - 1] ?? down }));
const one = (id: string, more: Partial<RevisionSource> = {}): readonly RevisionSource[] => [
  { id, down: "top", ...more },
];
const sql = (text: string) => ({ upgrade: [`op.execute(${JSON.stringify(text)})`], downgrade: ["pass"] });

/** Pairs of branches, each of which adds revisions after one parent. */
const pairs: readonly Pair[] = [
  ["one each, both sorted before the head", one("a01"), one("b01")],
  ["one each, both sorted after the head", one("x02"), one("y02")],
  ["one each, around the head", one("a03"), one("z03")],
  ["one each, around the head, reversed", one("z04"), one("a04")],
  ["two and one", on("top", "m05", "n05"), one("a05")],
  ["one and two", one("m06"), on("top", "a06", "b06")],
  ["three each, interleaved", on("top", "a07", "m07", "z07"), on("top", "b07", "n07", "y07")],
  ["five and one", on("top", "e08", "d08", "c08", "b08", "a08"), one("x08")],
  ["the same title", one("a09", { title: "Add a table" }), one("b09", { title: "Add a table" })],
  ["the same table", one("a10", sql("CREATE TABLE same10 (a int)")), one("b10", sql("CREATE TABLE same10 (b int)"))],
  ["the same SQL", one("a11", sql("SELECT 11")), one("b11", sql("SELECT 11"))],
  ["nothing to run", one("a12", sql("")), one("b12", sql(""))],
  ["a long statement", one("a13", sql(`SELECT '${"x".repeat(5000)}'`)), one("b13")],
  ["findings and locks", one("a14", sql("DROP TABLE t_first")), one("b14", sql("UPDATE t_first SET at = now()"))],
  ["a dependency", one("a15", { dependsOn: "first" }), one("b15")],
  ["a branch label", one("a16", { branchLabel: "label16" }), one("b16")],
  [
    "SQL that is not known",
    one("a17", { upgrade: ["op.get_bind().execute(sa.text('SELECT 1')).scalar()"] }),
    one("b17"),
  ],
  ["no downgrade", one("a18", { downgrade: null }), one("b18")],
  [
    "batches",
    one("a19", {
      upgrade: ['with op.batch_alter_table("t_first") as batch:', '    batch.add_column(sa.Column("n19", sa.Integer))'],
    }),
    one("b19"),
  ],
  ["digits only", one("1234567890"), one("9876543210")],
];

describe("pulumi-alembic revision --rebase", () => {
  let python: string;
  let known: ReadonlyMap<string, LockedRevision>;
  let sharedLock: Lock;
  let project: ChainProject;
  let repository: TestRepository;

  const path = () => join(project.folder, "migrations.lock.json");
  const versions = (id: string) => join(project.folder, "alembic", "versions", `${id}.py`);
  const run = (...options: readonly string[]): Promise<CommandResult> =>
    unity("revision", "--rebase", "--backend", project.folder, "--python", python, ...options);

  before(async () => {
    python = await alembicPython();
    // One chain holds the revisions of all pairs, so that Alembic and the linter run once.
    const { lock } = await lockChain([
      ...shared,
      ...pairs.flatMap(([, ours, theirs]) => [...ours, ...theirs]),
      ...one("ours"),
      ...one("theirs"),
    ]);
    known = new Map(lock.revisions.map((revision) => [revision.id, revision]));
    sharedLock = { ...lock, ...lockOf(shared.map(({ id }) => locked(id))), files: lock.files };
  });
  afterEach(() => project?.delete());

  function locked(id: string): LockedRevision {
    return known.get(id) ?? assert.fail(id);
  }

  /** Adds revisions to the files and the lockfile, and commits. */
  function commit(revisions: readonly RevisionSource[], message: string): void {
    for (const revision of revisions) project.add(revision);
    const all = lockOf([...sharedLock.revisions, ...revisions.map(({ id }) => locked(id))]);
    writeFileSync(path(), formatLock({ ...sharedLock, heads: all.heads, revisions: all.revisions }));
    repository.commit(message);
  }

  /** Creates a repository with the branches `main`, which has their revisions, and `feature`, which has ours. */
  function createPair(ours: readonly RevisionSource[], theirs: readonly RevisionSource[]): void {
    project = new ChainProject(shared);
    repository = new TestRepository(project.folder);
    commit([], "Shared");
    repository.branch("feature");
    repository.branch("main");
    commit(theirs, "Theirs");
    repository.git("checkout", "--quiet", "feature");
    commit(ours, "Ours");
  }

  for (const [what, ours, theirs] of pairs) {
    it(`resolves the conflict of branches that add ${what}`, async () => {
      createPair(ours, theirs);
      const base = readBase(Repository.open(project.folder), "main");
      const own = parseLock(readFileSync(path(), "utf8"), "own");
      const { collision } = compareBranches({ base: base.lock, mergeBase: base.mergeBase, own });
      assert.deepEqual(
        collision?.roots.map(({ id }) => id),
        [ours[0]?.id],
      );
      assert.deepEqual(collision?.incoming.map(({ id }) => id).sort(), theirs.map(({ id }) => id).sort());

      assert.equal(repository.try("merge", "--no-edit", "main").status, 1);
      assert.match(repository.git("diff", "--name-only", "--diff-filter=U"), /^migrations\.lock\.json\n$/);
      const before = readFileSync(versions(ours[0]?.id ?? ""), "utf8");
      const { document } = await rebase({ backend: project.folder, python, base: "main" }, progress);
      const head = theirs.at(-1)?.id ?? "";
      assert.deepEqual(
        document.rebased.map(({ revision, from }) => [revision, from]),
        [[ours[0]?.id, "top"]],
      );
      assert.deepEqual(document.heads, [ours.at(-1)?.id]);
      const after = readFileSync(versions(ours[0]?.id ?? ""), "utf8");
      assert.equal(after, before.replace('down_revision = "top"', `down_revision = "${head}"`));
      const lock = parseLock(readFileSync(path(), "utf8"), "merged");
      for (const { id } of [...ours, ...theirs]) {
        const { upgrade, downgrade } = lock.revisions.find((revision) => revision.id === id) ?? assert.fail(id);
        assert.deepEqual({ upgrade, downgrade }, { upgrade: locked(id).upgrade, downgrade: locked(id).downgrade });
      }
      repository.commit("Merge");
    });
  }

  describe("with one revision on each branch", () => {
    const file = () => versions("ours");
    const merge = () => assert.equal(repository.try("merge", "--no-edit", "main").status, 1);

    /** Creates the branches, and returns our file. */
    function create(more: Partial<RevisionSource> = {}): string {
      createPair(one("ours", more), one("theirs"));
      return readFileSync(file(), "utf8");
    }

    it("continues a merge, and a rebase of git", async () => {
      create();
      merge();
      const conflict = await unity("lock", "--backend", project.folder, "--python", python);
      assert.match(conflict.stderr, /conflict markers of git.*\nIf both add revisions, run: .* revision .* --rebase /);
      const { code, stdout, stderr } = await run("--base", "main");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^Rebased onto main, with the same SQL:\n {2}ours \(.*ours\.py\): top -> theirs\nWrote /);
      repository.commit("Merge");
      assert.equal((await unity("ci", "--backend", project.folder, "--python", python, "--base", "main")).code, 0);

      repository.git("reset", "--quiet", "--hard", "HEAD^");
      assert.equal(repository.try("rebase", "main").status, 1);
      assert.equal((await run("--base", "main", "--json")).code, 0);
      repository.git("add", "--all");
      repository.git("-c", "core.editor=true", "rebase", "--continue");
      assert.equal(repository.git("log", "--format=%s", "main.."), "Ours\n");
    });

    it("only writes the lockfile if the branch is on the base's head", async () => {
      create();
      repository.git("checkout", "--quiet", "main");
      project.add({ id: "ours", down: "theirs" });
      const { code, stdout } = await run("--base", "main");
      assert.equal(code, 0);
      assert.match(stdout, /^Nothing to rebase onto main\.\nWrote .*: head ours\n/);
    });

    const again = '\n\ndown_revision = "to" + "p"\n';
    const rejected: readonly [what: string, more: Partial<RevisionSource>, options: readonly string[], says: RegExp][] =
      [
        [
          "a revision that a database has",
          {},
          ["--from", "ours"],
          /a database at ours already has ours, and would skip/,
        ],
        ["an unknown revision of a database", {}, ["--from", "none"], /unknown revision in --from: none/],
        [
          "SQL that depends on the place in the chain",
          { upgrade: [`op.execute("SELECT '" + down_revision + "'")`] },
          [],
          /the SQL of ours would change; no files were changed/,
        ],
        [
          "a second assignment",
          {},
          [],
          /can't edit alembic\/versions\/ours\.py: its down_revision must be a plain string, assigned once/,
        ],
      ];
    for (const [what, more, options, says] of rejected) {
      it(`changes nothing for ${what}`, async () => {
        create(more);
        merge();
        if (what === "a second assignment") appendFileSync(file(), again);
        const [source, lock] = [readFileSync(file(), "utf8"), readFileSync(path(), "utf8")];
        const { code, stderr } = await run("--base", "main", ...options);
        assert.equal(code, 2);
        assert.match(stderr, says);
        assert.deepEqual([readFileSync(file(), "utf8"), readFileSync(path(), "utf8")], [source, lock]);
      });
    }

    it("changes nothing before the base is merged", async () => {
      const source = create();
      const { code, stderr } = await run("--base", "main");
      assert.equal(code, 2);
      assert.match(
        stderr,
        /this checkout lacks revisions of main:\n {2}removed theirs .*\nRun: git merge main, which stops/,
      );
      assert.equal(readFileSync(file(), "utf8"), source);
    });

    it("changes nothing if two revisions of the branch stay heads", async () => {
      create();
      merge();
      project.add({ id: "more", down: "top" });
      const { code, stderr } = await run("--base", "main");
      assert.equal(code, 2);
      assert.match(stderr, /after it, the chain would still have 2 heads: more, ours; main has theirs/);
    });

    it("is needed, as ci reports, if git merges because a lockfile was not updated", async () => {
      createPair([], one("theirs"));
      project.add({ id: "ours", down: "top" });
      repository.commit("Ours, without its lockfile");
      repository.git("merge", "--quiet", "--no-edit", "main");
      const options = ["--backend", project.folder, "--python", python, "--base", "main"];
      const { stdout } = await unity("ci", ...options, "--json");
      const remarks: readonly { rule: string; file: string; line: number }[] = JSON.parse(stdout).remarks;
      assert.deepEqual(
        remarks.map(({ rule, file, line }) => `${rule} ${file}:${line}`),
        ["lockfile-differs migrations.lock.json:1", "several-heads alembic/versions/ours.py:10"],
      );
      assert.equal((await run("--base", "main")).code, 0);
      assert.equal((await unity("ci", ...options)).code, 0);
    });
  });

  it("rejects options of a new revision", async () => {
    for (const [options, says] of [
      [["--rebase", "-m", "x"], /'--rebase' cannot be used with option '-m, --message <title>'/],
      [["-m", "x", "--base", "main"], /--base and --from require --rebase/],
    ] as const) {
      const { code, stderr } = await unity("revision", ...options);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });
});
