import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

  it("removes any number of files, each content's once", () => {
    using folder = temporaryFolder();
    const script = `
      const paths = Array.from({ length: 20 }, (_, index) => privateKubeconfig(String(index)));
      process.stdout.write(String(privateKubeconfig("7") === paths[7] && new Set(paths).size === 20));`;
    assert.equal(run(folder.path, script), "true");
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("removes a killed process's file, and none of another PID namespace", () => {
    using folder = temporaryFolder();
    const killed = run(
      folder.path,
      'process.stdout.write(privateKubeconfig("content"), () => process.kill(process.pid, "SIGKILL"));',
    );
    assert.ok(existsSync(killed));
    const [, prefix, namespace = "", pid = ""] =
      basename(dirname(killed)).match(/^(pulumi-alembic-kubeconfig-)([0-9a-f]+)-(\d+)-/) ?? assert.fail(killed);
    const running = `${prefix}${namespace}-${process.pid}-another`;
    const elsewhere = `${prefix}${"0".repeat(namespace.length)}-${pid}-another`;
    for (const name of [running, elsewhere]) mkdirSync(join(folder.path, name));
    run(folder.path, 'privateKubeconfig("content");');
    assert.deepEqual(readdirSync(folder.path).sort(), [running, elsewhere].sort());
  });

  it("works in a folder that can't be listed", () => {
    using folder = temporaryFolder();
    const shared = join(folder.path, "shared");
    mkdirSync(shared);
    const unprivileged = process.getuid?.() === 0 ? "process.setuid(65534);" : "";
    if (unprivileged !== "") for (const path of [folder.path, shared]) chownSync(path, 65534, 65534);
    chmodSync(shared, 0o300);
    const path = run(shared, `${unprivileged} process.stdout.write(privateKubeconfig("content"));`);
    assert.ok(path.startsWith(shared));
    chmodSync(shared, 0o700);
    assert.deepEqual(readdirSync(shared), []);
  });
});
