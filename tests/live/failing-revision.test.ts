import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { podsOf } from "../../src/cluster/pods.ts";
import { heads, revisionSource } from "../fixtures/chains/ninth.ts";
import { type Checkout, checkout, lock } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { liveStack } from "../support/live.ts";
import { startProbe } from "../support/probe.ts";

const stack = liveStack("failing");
const { kubectl } = stack;

/** Returns a ninth revision whose upgrade runs `statement`. */
function ninthRevision(statement: string): string {
  const upgrade = `op.create_table("ninths")\n    op.execute("${statement}")`;
  return revisionSource(heads.ninth, heads.eighth, upgrade, 'op.drop_table("ninths")');
}

describe("a revision that raises", () => {
  let bad: Checkout | undefined;
  let good: Checkout | undefined;

  /** Creates a checkout with the ninth revision, locked, and its image. */
  async function release(statement: string): Promise<{ copy: Checkout; image: string }> {
    const copy = checkout();
    writeFileSync(join(copy.folder, "backend", "alembic", "versions", "ninth.py"), ninthRevision(statement));
    await lock(copy.folder);
    return { copy, image: await fixtureImage(join(copy.folder, "backend")) };
  }

  before(async () => {
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(async () => {
    bad?.remove();
    good?.remove();
    await stack.remove();
  });

  it("fails `up` with the revision and the database's error; the old pods keep serving", async () => {
    const { copy, image } = await release("SELECT 1/0");
    bad = copy;
    const before = (await podsOf(kubectl, "unity-backend")).map(({ metadata }) => metadata.name);
    await using probe = await startProbe(kubectl, stack.namespace);
    const { exitCode, output } = await (await stack.engine({ image }, copy.folder)).run("up");
    const { requests, failures } = await probe.stop();
    assert.notEqual(exitCode, 0);
    assert.match(output, /Revision ninth \(Title of ninth\) failed/);
    assert.match(output, /division by zero/);
    assert.match(output, /SQLSTATE 22012/);
    assert.ok(requests >= 5, `${requests} requests`);
    assert.deepEqual(failures, []);
    assert.deepEqual(
      (await podsOf(kubectl, "unity-backend")).map(({ metadata }) => metadata.name),
      before,
    );
  });

  it("leaves the database unchanged", async () => {
    const query = "SELECT version_num, to_regclass('ninths') IS NULL FROM alembic_version";
    const options = ["-U", "homelab_user", "-d", "homelab_db", "-Atc", query];
    assert.equal(
      (await kubectl.exec("deployment/postgres", "postgres", ["psql", ...options])).trim(),
      "add_plugin_execution|t",
    );
  });

  it("succeeds by one `up` of a fixed image, without a failed request", async () => {
    const { copy, image } = await release("SELECT 1/1");
    good = copy;
    await using probe = await startProbe(kubectl, stack.namespace);
    const { exitCode, output } = await (await stack.engine({ image }, copy.folder)).run("up");
    const { failures } = await probe.stop();
    assert.equal(exitCode, 0, output);
    assert.deepEqual(failures, []);
    const { head } = await (await stack.engine({ image }, copy.folder)).outputs();
    assert.equal(head, "ninth");
  });
});
