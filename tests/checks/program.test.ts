import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { checkNames } from "../../src/checks/names.ts";
import { projectRoot } from "../../src/paths.ts";

/** What a kubectl does that a check of the program meets, as shell. */
const kubectls = {
  fails: "echo refused >&2; exit 1",
  // A child that holds the streams open outlives the kubectl that is killed.
  hangs: "sleep 30; echo late",
  floods: "head -c 3000000 /dev/zero | tr '\\0' x",
  "tells a secret": "echo 'at postgresql://u:hunter2@h/d, PASSWORD=hunter2' >&2; exit 1",
} as const;

describe("the checks' program, when a check (F23)", () => {
  async function run(script: string) {
    const folder = mkdtempSync(join(tmpdir(), "unity-checks-"));
    writeFileSync(join(folder, "kubectl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const started = performance.now();
    const child = spawn(process.execPath, [join(projectRoot, "src", "checks", "main.ts"), "all"], {
      env: {
        ...process.env,
        PATH: [folder, process.env.PATH].join(delimiter),
        UNITY_CHECKS: JSON.stringify({
          context: "c",
          namespace: "n",
          head: "add_plugin_execution",
          toleratedRevisions: [],
          owned: true,
          applicationRole: "app",
          limitSeconds: 2,
        }),
      },
    });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    rmSync(folder, { recursive: true });
    return { code, stdout, stderr, seconds: (performance.now() - started) / 1000 };
  }

  for (const [what, script] of Object.entries(kubectls)) {
    it(`${what}: ends in time with a failure that names every failed check, in short lines and without a secret`, async () => {
      const { code, stdout, stderr, seconds } = await run(script);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, "");
      const failed = [...stderr.matchAll(/^Check (\S+) failed/gm)].map(([, name]) => name);
      assert.deepEqual(
        failed,
        checkNames.filter((name) => name !== "reversible"),
      );
      assert.ok(seconds < 25, `it took ${seconds} s`);
      for (const line of stderr.split("\n")) assert.ok(line.length < 2000, line);
      assert.ok(!stderr.includes("hunter2"));
    });
  }

  it("is called wrongly, says how it is called", async () => {
    const child = spawn(process.execPath, [join(projectRoot, "src", "checks", "main.ts"), "everything"]);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    assert.match(await text(child.stderr), /usage: UNITY_CHECKS=/);
    assert.equal(await ended, 2);
  });
});
