import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../src/paths.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Runs a script that writes a kubeconfig, in a folder for temporary files of its own. */
function run(folder: string, script: string): string {
  const file = JSON.stringify(join(projectRoot, "src", "cluster", "private-kubeconfig.ts"));
  const source = `import { privateKubeconfig } from ${file};\n${script}`;
  const args = ["--input-type=module-typescript", "--eval", source];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, TMPDIR: folder },
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return stdout;
}

describe("privateKubeconfig", () => {
  it("removes its file when the process exits", () => {
    using folder = temporaryFolder();
    const path = run(folder.path, 'process.stdout.write(privateKubeconfig("content"));');
    assert.ok(path.startsWith(folder.path));
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("removes the file of a process that was killed, but not that of one that runs", () => {
    using folder = temporaryFolder();
    const killed = run(
      folder.path,
      'process.stdout.write(privateKubeconfig("content"), () => process.kill(process.pid, "SIGKILL"));',
    );
    assert.ok(existsSync(killed));
    const running = join(folder.path, `unity-kubeconfig-${process.pid}-another`);
    mkdirSync(running);
    run(folder.path, 'privateKubeconfig("content");');
    assert.deepEqual(readdirSync(folder.path), [`unity-kubeconfig-${process.pid}-another`]);
  });
});
