import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { checkNames } from "../../src/checks/names.ts";
import type { CheckTarget } from "../../src/checks/result.ts";
import { projectRoot } from "../../src/paths.ts";
import { checkTarget } from "../support/checks.ts";
import { endWithTests, killGroup } from "../support/children.ts";
import { kubectlProgram } from "../support/fake-kubectl.ts";

const program = join(projectRoot, "src", "checks", "main.ts");
const target = checkTarget({ head: "add_plugin_execution", applicationRole: "app", clusterTimeoutSeconds: 2 });

/** Shell scripts of kubectl programs that fail the checks. */
const kubectls = {
  fails: "echo refused >&2; exit 1",
  // A child that holds the streams open outlives the kubectl that is killed.
  hangs: "sleep 30; echo late",
  floods: "head -c 3000000 /dev/zero | tr '\\0' x",
  "prints a secret": "echo 'at postgresql://u:hunter2@h/d, PASSWORD=hunter2' >&2; exit 1",
} as const;

describe("the checks' program, when a check (F23)", () => {
  async function run(script: string, given: CheckTarget = target) {
    using fake = kubectlProgram(`#!/bin/sh\n${script}\n`);
    const env = { ...process.env, ...fake.environment };
    const child = endWithTests(spawn(process.execPath, [program, "all"], { env, detached: true }));
    child.stdin.end(JSON.stringify(given));
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    killGroup(child);
    return { code, stdout, stderr };
  }

  for (const [what, script] of Object.entries(kubectls)) {
    it(`${what}: ends with each failed check by name, in short lines, no secrets`, async () => {
      const { code, stdout, stderr } = await run(script);
      assert.equal(code, 1, stderr);
      assert.equal(stderr, "");
      const failed = [...stdout.matchAll(/^Check (\S+) failed/gm)].map(([, name]) => name);
      assert.deepEqual(
        failed,
        checkNames.filter((name) => name !== "reversible"),
      );
      for (const line of stdout.split("\n")) assert.ok(line.length < 2000, line);
      assert.ok(!stdout.includes("hunter2"));
    });
  }

  it("gets 5,000 approvals, which no argument or variable can hold", async () => {
    const irreversible = Array.from({ length: 5000 }, (_, index) => String(index).padStart(32, "0"));
    assert.ok(JSON.stringify(irreversible).length > 128 * 1024);
    const { code, stdout } = await run("exit 1", { ...target, checks: ["pods", "reversible"], irreversible });
    assert.match(stdout, /^Check pods failed/);
    assert.ok(!stdout.includes("Check reversible"));
    assert.equal(code, 1);
  });

  it("prints its usage when called with wrong arguments", async () => {
    const child = endWithTests(spawn(process.execPath, [program, "everything"]));
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    assert.match(stderr, /usage: node src/);
    assert.equal(code, 2);
  });
});
