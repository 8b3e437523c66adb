import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CiOutcome } from "../../src/cli/ci/run.ts";
import { printable } from "../../src/printable.ts";
import { ChainProject, type RevisionSource } from "../fixtures/chains/project.ts";
import { schemaErrors } from "../support/json-schema.ts";
import { TestRepository } from "../support/repository.ts";
import { alembicPython, type CommandResult, unityIn } from "./unity.ts";

/** Variables of CI services, which these tests may run in. */
const outsideCi: NodeJS.ProcessEnv = {
  GITHUB_ACTIONS: undefined,
  GITHUB_BASE_REF: undefined,
  GITHUB_STEP_SUMMARY: undefined,
  CI_MERGE_REQUEST_TARGET_BRANCH_NAME: undefined,
};

const chain: readonly RevisionSource[] = [
  { id: "first" },
  { id: "second", down: "first", upgrade: ['op.add_column("t_first", sa.Column("n", sa.Integer))'] },
];

/** A project on the branch `feature`, which is at `main`. */
class Branch {
  readonly project = new ChainProject(chain);
  readonly repository = new TestRepository(this.project.folder);

  file(name: string): string {
    return join(this.project.folder, ".git", name);
  }

  async run(command: string, environment: NodeJS.ProcessEnv, ...options: readonly string[]): Promise<CommandResult> {
    const given = ["--backend", this.project.folder, "--python", await alembicPython()];
    return unityIn({ ...outsideCi, ...environment }, command, ...given, ...options);
  }

  async lock(): Promise<void> {
    const { code, stdout, stderr } = await this.run("lock", {});
    assert.equal(code, 0, stdout + stderr);
  }

  /** Reviews, and returns the exit code and the document. */
  async review(...options: readonly string[]): Promise<CiOutcome & { readonly code: number | null }> {
    const { code, stdout, stderr } = await this.run("ci", {}, "--json", ...options);
    assert.notEqual(code, 2, stdout + stderr);
    return { code, ...JSON.parse(stdout) };
  }
}

/** Text that a log, Markdown, or a browser would run. */
const hostile = "evil\r\n::error::injected%0A::x, y: | `a` <script>z</script> [l](javascript:q) ##[group]";
const inPython = JSON.stringify(hostile).slice(1, -1);

describe("pulumi-alembic ci", () => {
  let branch: Branch;
  before(async () => {
    branch = new Branch();
    await branch.lock();
    branch.repository.commit("Base");
    branch.repository.branch("feature");
  });
  afterEach(() => {
    branch.repository.git("checkout", "--quiet", "--force", "feature");
    branch.repository.git("reset", "--quiet", "--hard", "main");
    branch.repository.git("clean", "--quiet", "--force", "-d");
  });
  after(() => branch.project.delete());

  it("passes without new revisions", async () => {
    const { code, failed, pending, remarks, base } = await branch.review("--base", "main");
    assert.deepEqual({ code, failed, pending, remarks }, { code: 0, failed: false, pending: [], remarks: [] });
    assert.equal(base?.commit, branch.repository.git("rev-parse", "main").trim());
  });

  it("prints a summary with SQL, locks, findings, and the rollback window", async () => {
    branch.project.add({
      id: "third",
      down: "second",
      title: "Index t",
      upgrade: ['op.create_index("ix", "t_first", ["n"])'],
    });
    branch.project.add({ id: "fourth", down: "third", upgrade: ['op.drop_column("t_first", "n")'] });
    await branch.lock();
    const { code, stdout } = await branch.run("ci", {}, "--base", "main");
    assert.equal(code, 1);
    for (const line of [
      "| Result | ❌ failed: 1 error, 1 warning |",
      "| Pending | 2 of 4 revisions |",
      "| Head | `fourth` |",
      "| Rollback window | ends at `fourth`: changes what earlier code may use: ALTER TABLE t_first DROP COLUMN n; |",
      "### 3/4 `third` `Index t`",
      "- File: `alembic/versions/third.py`",
      "- Table lock: blocks writes of t_first (SHARE)",
      "- Code of earlier releases: keeps working",
      "- Table lock: blocks reads and writes of t_first (ACCESS EXCLUSIVE)",
      "CREATE INDEX ix ON t_first (n);",
    ])
      assert.ok(stdout.split("\n").includes(line), `${line}\n${stdout}`);
    assert.match(
      stdout,
      /^- \*\*warning\*\* `require-concurrent-index-creation` at `alembic\/versions\/third\.py:16`: /m,
    );
    assert.match(stdout, /^- \*\*error\*\* `ban-drop-column` at `alembic\/versions\/fourth\.py:16`: /m);
  });

  it("fails by the level of --fail-on, and not by approved errors", async () => {
    branch.project.add({ id: "third", down: "second", upgrade: ['op.drop_column("t_first", "n")'] });
    await branch.lock();
    const stack = join(branch.project.folder, "Pulumi.production.yaml");
    writeFileSync(stack, 'config:\n  app:approvals:\n    - { revision: "third", rule: ban-drop-column }\n');
    const codeOf = async (...options: readonly string[]) => (await branch.review("--base", "main", ...options)).code;
    assert.equal(await codeOf(), 1);
    assert.equal(await codeOf("--fail-on", "none"), 0);
    const approved = await branch.review("--base", "main", "--approvals", stack);
    assert.deepEqual([approved.code, approved.remarks.map((each) => each.approved)], [0, [true]]);
    writeFileSync(stack, "config:\n  app:approvals: third\n");
    const invalid = await branch.run("ci", {}, "--base", "main", "--approvals", stack);
    assert.match(invalid.stderr, /^error: invalid approvals\[0\]\.revision "third" in .*: must be a revision id/);
    assert.equal(invalid.code, 2);
  });

  it("reports what is pending after the revision of a database", async () => {
    const { pending } = await branch.review("--base", "main", "--from", "first");
    assert.deepEqual(pending, ["second"]);
    const { code, stderr } = await branch.run("ci", {}, "--base", "main", "--from", "none");
    assert.equal(code, 2);
    assert.match(stderr, /unknown revision in --from: none\nRevisions: first, second/);
  });

  it("rejects a lockfile that differs, and a revision that changed", async () => {
    branch.project.add({ id: "second", down: "first" });
    const { code, remarks } = await branch.review("--base", "main");
    assert.equal(code, 1);
    assert.deepEqual(
      remarks.map(({ rule }) => rule),
      ["lockfile-differs", "revision-changed"],
    );
    assert.match(remarks[0]?.help ?? "", /^Run: npm run unity -- lock .* --rewrite second$/);
    assert.match(remarks[1]?.message ?? "", /^Revision second of main was changed \(sha256, /);
    assert.equal((await branch.run("lock", {}, "--rewrite", "second")).code, 0);
    assert.equal((await branch.review("--base", "main")).code, 1);
    assert.equal((await branch.review("--base", "main", "--rewrite", "second")).code, 0);
  });

  it("reports before a merge that both branches add revisions on one", async () => {
    branch.repository.branch("other", "main");
    branch.project.add({ id: "theirs", down: "second" });
    await branch.lock();
    branch.repository.commit("Theirs");
    branch.repository.git("checkout", "--quiet", "feature");
    branch.project.add({ id: "ours", down: "second" });
    await branch.lock();
    branch.repository.commit("Ours");
    const { code, remarks } = await branch.review("--base", "other");
    assert.equal(code, 1);
    assert.equal(remarks.length, 1);
    const [{ rule, file, line, message, help } = assert.fail()] = remarks;
    assert.deepEqual([rule, file, line], ["head-collision", "alembic/versions/ours.py", 10]);
    assert.match(
      message,
      /^Revision ours follows second, and in other, theirs \(alembic\/versions\/theirs\.py\) follows it, too: after a merge, /,
    );
    assert.match(help ?? "", /^Run: git merge other, .* npm run unity -- revision --rebase --base other --backend /);
    // A branch that only lags behind has no error.
    branch.repository.git("reset", "--quiet", "--hard", "main");
    assert.equal((await branch.review("--base", "other")).code, 0);
  });

  it("takes the base, the summary's file, and annotations from GitHub Actions", async () => {
    branch.repository.git("update-ref", "refs/remotes/origin/main", "main");
    branch.project.add({ id: "third", down: "second", upgrade: ['op.drop_column("t_first", "n")'] });
    await branch.lock();
    const summary = branch.file("summary.md");
    writeFileSync(summary, "Before\n");
    const environment = { GITHUB_ACTIONS: "true", GITHUB_BASE_REF: "main", GITHUB_STEP_SUMMARY: summary };
    const { code, stdout } = await branch.run("ci", environment);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^::error file=alembic\/versions\/third\.py,line=16,title=ban-drop-column::\S.*\nReview failed: 1 pending revision, 1 remark\n/,
    );
    assert.match(readFileSync(summary, "utf8"), /^Before\n## Migrations\n[\s\S]*`origin\/main`/);
  });

  it("takes the base from GitLab, and explains an unknown one", async () => {
    const gitlab = (name: string) => branch.run("ci", { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: name }, "--json");
    branch.repository.git("update-ref", "refs/remotes/origin/main", "main");
    assert.equal(JSON.parse((await gitlab("main")).stdout).base.name, "origin/main");
    const unknown = await gitlab("gone");
    assert.equal(JSON.parse(unknown.stdout).error.message, "unknown base origin/gone\nRun: git fetch origin gone");
    const { code, stderr } = await branch.run("ci", {});
    assert.equal(code, 2);
    assert.match(stderr, /unknown base: not a pull request, .*\nPass --base <branch>, or --no-base/);
  });

  it("writes no text of a revision where it would run", async () => {
    branch.project.add({
      id: "third",
      down: "second",
      title: inPython,
      file: "alembic/versions/odd, name::100%.py",
      upgrade: [
        `op.execute("""ALTER TABLE t_first DROP COLUMN "${inPython.replaceAll("\\r", "")}"; SELECT '\`\`\`'""")`,
      ],
      downgrade: [`raise NotImplementedError("${inPython}")`],
    });
    await branch.lock();
    const files = { sarif: branch.file("review.sarif"), quality: branch.file("quality.json") };
    const options = ["--base", "main", "--annotations", "--sarif", files.sarif, "--code-quality", files.quality];
    const { stdout } = await branch.run("ci", {}, ...options);
    const { remarks } = await branch.review("--base", "main");
    const commands = stdout.split("\n").filter((line) => /^\s*::|##\[/.test(line));
    assert.equal(commands.length, remarks.length);
    for (const line of commands)
      assert.match(
        line,
        /^::(error|warning) file=alembic\/versions\/odd%2C name%3A%3A100%25\.py,line=\d+,title=[a-z-]+::/,
      );
    const page = stdout.split("\n").slice(commands.length).join("\n");
    assert.equal(printable(page), page);
    const prose = page.replaceAll(/^(`{3,})sql\n[\s\S]*?\n\1$/gm, "").replaceAll(/(`+)[^`][\s\S]*?\1/g, "");
    assert.doesNotMatch(prose, /(?<!\\)<(?!\/?(details|summary)>)|(?<!\\)\[/);

    assert.equal(await schemaErrors(files.sarif, "sarif"), "");
    const issues = JSON.parse(readFileSync(files.quality, "utf8"));
    assert.deepEqual(Object.keys(issues[0]).sort(), [
      "check_name",
      "description",
      "fingerprint",
      "location",
      "severity",
    ]);
    assert.equal(new Set(issues.map((each: { fingerprint: string }) => each.fingerprint)).size, remarks.length);
    assert.equal(issues[0].location.path, "alembic/versions/odd, name::100%.py");
  });

  it("has a schema that rejects other files than those of SARIF", async () => {
    const file = branch.file("wrong.sarif");
    writeFileSync(file, JSON.stringify({ version: "2.1.0", runs: [{ results: [] }] }));
    assert.match(await schemaErrors(file, "sarif"), /'tool' is a required property/);
  });
});
