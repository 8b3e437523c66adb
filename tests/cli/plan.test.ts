import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseAt, deployedPostgres, type FakeAnswers } from "../support/fake-kubectl.ts";
import { unity, unityWith } from "./unity.ts";

const head = "add_plugin_execution";
const file = `config:
  unity:context: here
  unity:image: registry.example/unity-backend:1.0
  unity:replicas: 2
  unity:toleratedRevisions: tolerated
  unity:databasePassword:
    secure: v1:AAAA:BBBB
`;
const rows = (...found: readonly string[]): Partial<FakeAnswers> => ({ backend: databaseAt(found) });

describe("pulumi-alembic plan and pulumi-alembic status", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "unity-plan-"));
    writeFileSync(join(folder, "stack.yaml"), file);
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (answers: Partial<FakeAnswers>, ...args: readonly string[]) =>
    unityWith(answers, ...args, "--config-file", join(folder, "stack.yaml"));

  const table: readonly [string, Partial<FakeAnswers>, number, RegExp][] = [
    ["at head", rows(head), 0, /^Database is up to date \(head add_plugin_execution\)\.$/m],
    ["ahead at a revision that the stack tolerates", rows("tolerated"), 0, /at tolerated, ahead of the lockfile/],
    ["behind", rows("a1b2c3d4e5f6"), 1, /behind head add_plugin_execution/],
    ["never applied", { backend: databaseAt(null) }, 1, /Database is uninitialized/],
    ["not deployed", {}, 1, /No running workload in namespace unity;/],
    ["at an unknown revision", rows("zz"), 1, /at zz, which is not in the lockfile \(8 revisions\)/],
    [
      "down",
      { list: { output: JSON.stringify({ items: [deployedPostgres] }) } },
      2,
      /Can't read the database revision/,
    ],
    [
      "on an unreachable cluster",
      { list: { error: "refused" } },
      2,
      /Can't connect to the cluster \(context here\): refused/,
    ],
  ];
  for (const [what, answers, exitCode, text] of table) {
    it(`report a database ${what}, and exit with ${exitCode}`, async () => {
      for (const command of ["plan", "status"]) {
        const { code, stdout, stderr } = await run(answers, command);
        assert.equal(code, exitCode, stdout + stderr);
        assert.match(stdout, text);
      }
    });
  }

  it("reject resources of another stack than that of the file's name", async () => {
    const annotations = { "pulumi.com/patchForce": "true", "pulumi-alembic/owner": "unity/home" };
    const list = {
      output: JSON.stringify({ items: [{ ...deployedPostgres, metadata: { name: "postgres", annotations } }] }),
    };
    const answers = { ...rows("a1b2c3d4e5f6"), list };
    for (const stack of ["home", "other"]) {
      const named = join(folder, `Pulumi.${stack}.yaml`);
      writeFileSync(named, file);
      const { code, stdout } = await unityWith(answers, "plan", "--json", "--config-file", named);
      const { adoption } = JSON.parse(stdout);
      assert.equal(code, 1);
      assert.equal(adoption.rejected.length, stack === "home" ? 0 : 1, stdout);
    }
    const named = join(folder, "Pulumi.other.yaml");
    const { code, stdout } = await unityWith(answers, "apply", "--config-file", named);
    assert.equal(code, 1);
    assert.match(stdout, /Stack unity\/home owns resources of namespace unity that stack unity\/other would overwrite/);
  });

  it("print pending revisions with full statements, and the Job, as JSON", async () => {
    const plan = JSON.parse((await run(rows("a1b2c3d4e5f6"), "plan", "--json")).stdout);
    assert.equal(plan.state.kind, "behind");
    assert.deepEqual(
      plan.pending.map(({ id, position }: { id: string; position: number }) => [id, position]),
      [[head, 8]],
    );
    assert.match(plan.pending[0].upgrade.sql[0], /^CREATE TABLE plugin_executions \(.*\);$/s);
    assert.match(plan.job.name, /^unity-db-migrate-[0-9a-f]{10}$/);
    assert.equal(JSON.parse((await run(rows(head), "status", "--json")).stdout).state.kind, "at-head");
  });

  it("show full statements with --full", async () => {
    const brief = await run(rows("a1b2c3d4e5f6"), "plan");
    const full = await run(rows("a1b2c3d4e5f6"), "plan", "--full");
    assert.match(
      brief.stdout,
      /Some statements are truncated\. To print them in full, run: npm run unity -- plan --full/,
    );
    assert.ok(full.stdout.length > brief.stdout.length && !full.stdout.includes("…"));
  });

  it("plan by the stack's approvals and pinned plan, given as a YAML list and text", async () => {
    const behind = rows("a1b2c3d4e5f6");
    const { hash } = JSON.parse((await run(behind, "plan", "--json")).stdout);
    const stack = join(folder, "stack.yaml");
    const planWith = async (lines: string) => {
      writeFileSync(stack, file + lines);
      return run(behind, "plan").finally(() => writeFileSync(stack, file));
    };
    const pinned = await planWith(`  unity:planHash: "${hash}"\n`);
    assert.match(pinned.stdout, new RegExp(`Plan hash: ${hash}\nJob `));
    const stale = await planWith('  unity:planHash: "0000000000000000"\n');
    assert.equal(stale.code, 1);
    assert.match(stale.stdout, /plan is stale: /);
    const unknown = await planWith("  unity:approvals:\n    - revision: add_plugins_execution\n      rule: truncate\n");
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.stderr,
      /approvals\[0\]: unknown revision add_plugins_execution; did you mean add_plugin_execution /,
    );
  });

  it("name a missing stack file and missing settings", async () => {
    const missing = await unity("status", "--stack", "nowhere");
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /Pulumi\.nowhere\.yaml not found\nPass --stack <name>/);
    const open = await unity("status");
    assert.equal(open.code, 2);
    assert.match(open.stderr, /no stack selected; stacks: dev, production, staging\nPass --stack .*PULUMI_STACK/);
    const incomplete = await unity("plan", "--stack", "dev");
    assert.equal(incomplete.code, 2);
    assert.match(incomplete.stderr, /unity:image is not set/);
  });
});
