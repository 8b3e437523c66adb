import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { waitFor } from "../../local/cluster/progress.ts";
import { Scratch, stepsOf } from "./support.ts";

function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until a killed process has ended. */
async function ended(pid: number): Promise<void> {
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
    it(`exits with code 8 on ${signal}, kills its commands, and resumes`, async () => {
      const run = scratch.start("up");
      await run.prints("pid ");
      run.child.kill(signal);
      const { code, text } = await run.ended;
      assert.equal(code, 8, text);
      await ended(pidIn(text));
      assert.equal(existsSync(`${scratch.stateFile}.lock`), false);
      scratch.settings(slow(0));
      const next = await scratch.run("up");
      assert.deepEqual([next.exit, stepsOf(next)], [0, ["create slow"]]);
    });

  it("resumes from the state after SIGKILL", async () => {
    const run = scratch.start("up");
    await run.prints("pid ");
    run.child.kill("SIGKILL");
    const { text } = await run.ended;
    process.kill(-pidIn(text), "SIGKILL");
    assert.match(scratch.storedText(), /"pending": \[\n/);
    scratch.settings(slow(0));
    const next = await scratch.run("up");
    assert.match(scratch.text, /Removed the stale lock of process \d+\./);
    assert.match(scratch.text, /\(slow\):\n.*warning: interrupted while creating in a previous update/);
    assert.deepEqual([next.exit, stepsOf(next)], [0, ["create slow"]]);
    assert.equal((await scratch.run("preview", { expectNoChanges: true })).exit, 0);
  });

  it("rejects a second run during the first", async () => {
    const run = scratch.start("up");
    await run.prints("pid ");
    const second = scratch.start("up");
    await second.prints("locked");
    const { code, text } = await second.ended;
    assert.equal(code, 2);
    assert.match(text, new RegExp(`locked by process ${run.child.pid} .*kill ${run.child.pid}`));
    run.child.kill("SIGTERM");
    await run.ended;
  });

  it("prints the outputs as JSON", async () => {
    scratch.settings({ resources: [{ name: "one", args: { create: "echo hi" } }] });
    assert.equal((await scratch.run("up")).exit, 0);
    const run = scratch.start("stack-output", "--json");
    let out = "";
    run.child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    assert.equal((await run.ended).code, 0);
    assert.deepEqual(JSON.parse(out), { all: { one: "hi" } });
  });
});
