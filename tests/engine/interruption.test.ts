import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../../local/cluster/progress.ts";
import { Scratch, stepsOf } from "./support.ts";

function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** What was killed ends soon, and not at once. */
async function ends(pid: number): Promise<void> {
  await waitFor(`the end of process ${pid}`, async () => !alive(pid), { timeoutSeconds: 10 });
}

describe("engine interruption", () => {
  let scratch: Scratch;
  const slow = (seconds: number) => ({
    resources: [
      { name: "first", args: { create: "true" } },
      { name: "slow", args: { create: `echo pid $$; sleep ${seconds}` }, after: ["first"] },
    ],
  });
  beforeEach(() => {
    scratch = new Scratch("commands");
    scratch.settings(slow(30));
  });
  afterEach(() => scratch.remove());
  const pidIn = (text: string): number => Number(/pid (\d+)/.exec(text)?.[1]);

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    it(`ends on ${signal} with exit code 8 and without commands, and resumes next time`, async () => {
      const run = scratch.start("up");
      await run.says("pid ");
      run.child.kill(signal);
      const { code, text } = await run.ended;
      assert.equal(code, 8, text);
      await ends(pidIn(text));
      assert.equal(existsSync(`${scratch.stateFile}.lock`), false);
      scratch.settings(slow(0));
      const next = await scratch.run("up");
      assert.deepEqual([next.exit, stepsOf(next)], [0, ["create slow"]]);
    });

  it("leaves a state that the next run takes over after SIGKILL", async () => {
    const run = scratch.start("up");
    await run.says("pid ");
    run.child.kill("SIGKILL");
    const { text } = await run.ended;
    process.kill(-pidIn(text), "SIGKILL");
    assert.match(scratch.storedText(), /"pending": \[\n/);
    scratch.settings(slow(0));
    const next = await scratch.run("up");
    assert.match(scratch.text, /the lock of process \d+, which is gone, is taken over/);
    assert.match(scratch.text, /slow:\n.*an earlier run ended while it was being created/);
    assert.deepEqual([next.exit, stepsOf(next)], [0, ["create slow"]]);
    assert.equal((await scratch.run("preview", { expectNoChanges: true })).exit, 0);
  });

  it("refuses a second run while the first is at work", async () => {
    const run = scratch.start("up");
    await run.says("pid ");
    const second = scratch.start("up");
    await second.says("in use");
    const { code, text } = await second.ended;
    assert.equal(code, 2);
    assert.match(text, new RegExp(`in use by process ${run.child.pid}`));
    run.child.kill("SIGTERM");
    await run.ended;
  });

  it("ends a command and its children when its time is up", async () => {
    scratch.settings({
      resources: [
        {
          name: "slow",
          args: { create: "echo pid $$; sleep 30; true" },
          options: { customTimeouts: { create: "1s" } },
        },
      ],
    });
    const { exit } = await scratch.run("up");
    assert.equal(exit, 4);
    assert.match(scratch.text, /no end within 1 s/);
    await ends(pidIn(scratch.text));
  });

  it("prints one JSON document on request", async () => {
    scratch.settings({ resources: [{ name: "one", args: { create: "echo hi" } }] });
    const run = scratch.start("up", "--json");
    let out = "";
    run.child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    assert.equal((await run.ended).code, 0);
    const document = JSON.parse(out);
    assert.deepEqual(
      [document.exit, document.outputs, document.steps.map((step: { op: string }) => step.op)],
      [0, { all: { one: "hi" } }, ["create", "create"]],
    );
    assert.ok(existsSync(join(scratch.folder, "state")));
  });
});
