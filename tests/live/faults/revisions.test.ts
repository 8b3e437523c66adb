import assert from "node:assert/strict";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLock } from "../../../src/lockfile/read-lock.ts";
import { projectRoot } from "../../../src/paths.ts";
import { unity } from "../../cli/unity.ts";
import { heads, ninthCheckout, revisionSource } from "../../fixtures/chains/ninth.ts";
import { checkout, lock } from "../../support/checkout.ts";
import { FaultStack } from "../../support/faults.ts";

const stack = new FaultStack("revisions");
const { revisions } = readLock(join(projectRoot, "backend", "migrations.lock.json"));
const ids = revisions.map(({ id }) => id);
const versions = (folder: string) => join(folder, "backend", "alembic", "versions");

describe("revisions", () => {
  before(() => stack.deploy());
  after(() => stack.end());

  it("image without the head: the Job names the file that the image lacks", async () => {
    using release = await ninthCheckout();
    await stack.inject({
      name: "image without the head",
      messages: [/alembic\/versions\/ninth\.py of revision ninth is missing from the image\. Rebuild/],
      up: () => stack.run("up", { folder: release.folder }),
      revisions: [heads.eighth],
    });
    await stack.recover();
  });

  for (const [index, id] of [...ids.entries()].reverse().slice(1)) {
    it(`F20: at ${id}, the plan is the ${ids.length - index - 1} revisions after it`, async () => {
      await stack.alembic("downgrade", id);
      const { stdout: output } = await unity("plan", "--config-file", stack.live.configFile);
      assert.match(output, new RegExp(`Database is at ${id}, behind head`));
      const planned = [...output.matchAll(/^ *(\d)\/8 {2}(\S+) {2}/gm)].map(([, position, revision]) => [
        position,
        revision,
      ]);
      const after = ids.slice(index + 1).map((each, offset) => [String(index + offset + 2), each]);
      assert.deepEqual(planned, after);
    });
  }

  it("F20: one `up` applies all that the first revision lacks", async () => {
    await stack.timed("F20 seven revisions behind, until `up` is done", () => stack.recover());
    assert.equal((await stack.alembic("current")).trim(), `${heads.eighth} (head)`);
  });

  const edited = "8f3d9e2a1c45_alert_rules.py";
  const changes: readonly [string, (folder: string) => Promise<void> | void, RegExp][] = [
    ["edited", (folder) => appendFileSync(join(versions(folder), edited), "# later\n"), /8f3d9e2a1c45_alert_rules\.py/],
    ["removed", (folder) => rmSync(join(versions(folder), edited)), /8f3d9e2a1c45_alert_rules\.py/],
    [
      "inserted in the middle",
      (folder) => writeFileSync(join(versions(folder), "between.py"), revisionSource("between", "8f3d9e2a1c45")),
      /between\.py/,
    ],
    [
      "locked as a second head",
      async (folder) => {
        writeFileSync(join(versions(folder), "other.py"), revisionSource("other", "a1b2c3d4e5f6"));
        await lock(folder).catch(() => {});
      },
      /other/,
    ],
  ];
  for (const [what, change, message] of changes) {
    it(`F22: a revision ${what} stops preview before any resource`, async () => {
      using copy = checkout();
      await change(copy.folder);
      const { exitCode, output } = await stack.timed(`F22 ${what}`, () => stack.run("preview", copy));
      assert.notEqual(exitCode, 0, output);
      assert.match(output, message);
      assert.doesNotMatch(output, /kubernetes:/);
    });
  }
});
