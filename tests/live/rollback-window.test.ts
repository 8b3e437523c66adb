import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import { isServing, podsOf, workloadSelector } from "../../src/cluster/pods.ts";
import { heads, revisionSource } from "../fixtures/chains/ninth.ts";
import { type Checkout, checkout, lock } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { liveStack } from "../support/live.ts";

const stack = liveStack("rollback-window");
const { kubectl } = stack;
const rolloutTimeoutSeconds = "20";

const psql = async (statement: string) => {
  const command = ["psql", "-U", "homelab_user", "-d", "homelab_db", "-Atc", statement];
  return (await kubectl.exec("deployment/postgres", "postgres", command)).trim();
};
const revision = () => psql("SELECT version_num FROM alembic_version");

/** Deletes the backend's pods, as an eviction does, and returns their names. */
async function evict(): Promise<readonly string[]> {
  const names = (await podsOf(kubectl, "unity-backend")).map(({ metadata }) => metadata.name);
  await kubectl.run(["delete", "pods", workloadSelector("unity-backend"), "--grace-period=1"], "", 120);
  return names;
}

describe("pods of the release before, after a rollout that failed", () => {
  let copy: Checkout;

  /** Deploys a release whose migration succeeds, and whose backend doesn't start. */
  async function deployBroken(id: string, down: string, statement: string) {
    const folder = join(copy.folder, "backend");
    const source = revisionSource(id, down, `op.execute("${statement}")`, 'op.execute("SELECT 1")');
    writeFileSync(join(folder, "alembic", "versions", `${id}.py`), source);
    await lock(copy.folder);
    const image = await fixtureImage(folder);
    const { exitCode, output } = await (await stack.engine({ image, rolloutTimeoutSeconds }, copy.folder)).run("up");
    assert.notEqual(exitCode, 0, output);
    assert.equal(await revision(), id, output);
    return image;
  }

  before(async () => {
    copy = checkout();
    writeFileSync(join(copy.folder, "backend", "app", "main.py"), 'raise SystemExit("broken release")\n');
    const { exitCode, output } = await (await stack.engine()).run("up");
    assert.equal(exitCode, 0, output);
  });
  after(async () => {
    copy?.remove();
    await stack.remove();
  });

  it("start again if the new revision only adds", async () => {
    await deployBroken(heads.ninth, heads.eighth, "ALTER TABLE plugins ADD COLUMN ninth int");
    const before = await evict();
    await waitFor("a pod of the previous release", async () =>
      (await podsOf(kubectl, "unity-backend")).some(isServing),
    );
    const serving = (await podsOf(kubectl, "unity-backend")).find(isServing);
    assert.ok(serving !== undefined && !before.includes(serving.metadata.name), serving?.metadata.name);
    const log = await kubectl.run(["logs", serving.metadata.name, "--container=migrate"]);
    assert.match(log, /According to the run record, this release \(head add_plugin_execution\) still works\./);
    assert.match(log, /Database is ahead, at ninth/);
  });

  it("are rolled back to by `up`, whose checks pass at the new revision", async () => {
    const { exitCode, output } = await (await stack.engine({ rolloutTimeoutSeconds: "120" })).run("up");
    assert.equal(exitCode, 0, output);
    assert.match(
      output,
      /Database is at ninth, ahead of the lockfile\. According to the run record, this release \(head/,
    );
    assert.equal(await revision(), heads.ninth);
  });

  it("are held with the reason if the new revision changes what they use", async () => {
    const image = await deployBroken("tenth", heads.ninth, "UPDATE plugins SET name = name WHERE name = 'x'");
    await evict();
    const reason = /because of revision tenth: changes rows of an existing table: UPDATE plugins/;
    let message = "";
    await waitFor("a held pod", async () => {
      const paths = ["state", "lastState"].map(
        (state) => `{.status.initContainerStatuses[0].${state}.terminated.message}`,
      );
      const output = `--output=jsonpath={range .items[*]}${paths.join("")}{"\\n"}{end}`;
      message = await kubectl.run(["get", "pods", workloadSelector("unity-backend"), output]);
      return reason.test(message);
    });
    assert.ok(message.includes(`which this image does not contain: ${image} applied it at`), message);
    assert.match(message, /pulumi config set toleratedRevisions tenth && pulumi up/);
    assert.ok(!(await podsOf(kubectl, "unity-backend")).some(isServing));
  });

  it("are not rolled back to then: preview and `up` stop before any change", async () => {
    const state = async () =>
      kubectl.run(["get", "deployments,jobs,configmaps", "--output=jsonpath={.items[*].metadata.uid}"]);
    const before = await state();
    for (const verb of ["preview", "up"] as const) {
      const { exitCode, output } = await (await stack.engine({ rolloutTimeoutSeconds: "120" })).run(verb);
      assert.notEqual(exitCode, 0, output);
      assert.match(output, /Database is at tenth, which is not in the lockfile \(8 revisions\)/);
      assert.match(output, /because of revision tenth: changes rows of an existing table: UPDATE plugins/);
      assert.match(output, /pulumi config set toleratedRevisions tenth/);
    }
    assert.equal(await state(), before);
    assert.equal(await revision(), "tenth");
  });
});
