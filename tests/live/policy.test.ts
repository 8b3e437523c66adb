import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Run, Verb } from "../../local/pulumi.ts";
import { heads, revisionSource } from "../fixtures/chains/ninth.ts";
import { type Checkout, checkout, lock } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("policy");
const psql = async (statement: string): Promise<string> => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atqc", statement];
  return (await stack.kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const state = () => psql("SELECT version_num, to_regclass('plugin_alerts') IS NULL FROM alembic_version");

describe("a revision that destroys data", () => {
  let copy: Checkout;
  let image: string;

  /** Runs the release with the ninth revision and more settings; those of an earlier run are kept. */
  const run = async (verb: Verb, values: Readonly<Record<string, string>> = {}, flags: string[] = []): Promise<Run> =>
    (await stack.engine({ image, ...values }, copy.folder)).run(verb, flags);

  before(async () => {
    copy = checkout();
    const source = revisionSource(
      heads.ninth,
      heads.eighth,
      'op.drop_table("plugin_alerts")',
      'op.execute("CREATE TABLE plugin_alerts (id BIGINT)")',
    );
    writeFileSync(join(copy.folder, "backend", "alembic", "versions", "ninth.py"), source);
    await lock(copy.folder);
    image = await fixtureImage(join(copy.folder, "backend"));
    // The init container only waits: the app's role needs no permission to change the schema.
    const { exitCode, output } = await (await stack.engine({ initContainer: "wait" })).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(async () => {
    copy?.remove();
    await stack.remove();
  });

  it("is rejected by preview and `up` until the stack approves it", async () => {
    const said = [
      /Database is at add_plugin_execution, behind head ninth\./,
      /blocks reads and writes of plugin_alerts.* \(ACCESS EXCLUSIVE\)/,
      /error ban-drop-table: /,
      /1 finding requires approval; no changes were made:/,
      /unity:approvals:\n *- \{ revision: "ninth", rule: ban-drop-table \}/,
    ];
    for (const verb of ["preview", "up"] as const) {
      const { exitCode, output } = await run(verb);
      assert.notEqual(exitCode, 0);
      for (const text of said) assert.match(output, text);
    }
    assert.equal(await state(), `${heads.eighth}|f`);
  });

  it("is rejected with an unmatched approval", async () => {
    const approvals = '[{"revision":"nineth","rule":"ban-drop-table"}]';
    const { exitCode, output } = await run("preview", { approvals });
    assert.notEqual(exitCode, 0);
    assert.match(output, /unmatched unity:approvals:\n.*nineth.*ninth/);
  });

  it("is rejected with the hash of another plan", async () => {
    const approvals = '[{"revision":"ninth","rule":"ban-drop-table","reason":"it is unused"}]';
    const { exitCode, output } = await run("up", { approvals, planHash: "0123456789abcdef" });
    assert.notEqual(exitCode, 0);
    assert.match(output, /plan is stale: expected hash 0123456789abcdef, current hash v4-[0-9a-f]{16}; no changes/);
    assert.equal(await state(), `${heads.eighth}|f`);
  });

  it("is applied with the approval and the hash of the preview, which stays valid", async () => {
    const refused = (await run("preview")).output;
    const [, planHash = ""] = /pulumi config set planHash (v4-[0-9a-f]{16})/.exec(refused) ?? assert.fail(refused);
    const { exitCode, output } = await run("up", { planHash });
    assert.equal(exitCode, 0, output);
    assert.match(output, /error ban-drop-table, approved: /);
    assert.equal(await state(), `${heads.ninth}|t`);
    assert.equal(await psql("SELECT plan_hash FROM pulumi_alembic.runs ORDER BY id DESC LIMIT 1"), planHash);
    const again = await run("preview", {}, ["--expect-no-changes"]);
    assert.equal(again.exitCode, 0, again.output);
  });
});
