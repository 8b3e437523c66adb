import assert from "node:assert/strict";
import { startTimeOf } from "../../local/cluster/processes.ts";
import { waitFor } from "../../local/cluster/progress.ts";
import { runSuiteProcess } from "../support/suite-process.ts";

describe("runSuiteProcess", () => {
  const run = async (script: string) => {
    let printed = "";
    const print = (text: string) => {
      printed += text;
    };
    const options = { cwd: ".", env: process.env, print, graceMilliseconds: 100 };
    return { ...(await runSuiteProcess(["sh", "-c", script], options)), printed };
  };
  it("returns the output and the exit code of the runner", async () => {
    const { output, printed, exitCode, left } = await run("echo out; echo error >&2; exit 3");
    assert.deepEqual([output.split("\n").sort(), exitCode, left], [["", "error", "out"], 3, []]);
    assert.equal(printed, output);
  });

  for (const [what, prefix] of [
    ["a process that holds its pipes", ""],
    ["a process of another group", "setsid "],
  ] as const) {
    it(`ends after the runner, kills and names ${what}`, async () => {
      const { output, exitCode, left } = await run(`${prefix}sleep 600 & echo $!; exit 0`);
      assert.equal(exitCode, 0);
      assert.equal(left.length, 1);
      assert.match(left[0] ?? "", /^\d+ sleep 600$/);
      await waitFor("its end", async () => startTimeOf(Number.parseInt(output, 10)) === undefined);
    });
  }

  it("rejects when the runner can't be started", async () => {
    const options = { cwd: ".", env: process.env, print() {} };
    await assert.rejects(runSuiteProcess(["no-such-program"], options), /ENOENT/);
  });
});
