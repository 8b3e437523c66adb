import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Names of the folders, with the PID namespace and the ID of their process. */
const leftover = /^pulumi-alembic-kubeconfig-([0-9a-f]+)-(\d+)-/;

/** Files of this process, by content. */
const files = new Map<string, string>();

/**
 * Writes a kubeconfig that exists only in memory to a file that only this user can read, because kubectl reads it more than
 * once. The file is removed when this process exits. A process that was killed leaves its file to the next one.
 *
 * @param content - YAML or JSON.
 * @returns The path of the file, the same for the same content.
 */
export function privateKubeconfig(content: string): string {
  const known = files.get(content);
  if (known !== undefined) return known;
  const namespace = pidNamespace();
  if (files.size === 0) {
    removeLeftovers(namespace);
    process.once("exit", () => {
      for (const path of files.values()) rmSync(dirname(path), { recursive: true, force: true });
    });
  }
  const folder = mkdtempSync(join(tmpdir(), `pulumi-alembic-kubeconfig-${namespace}-${process.pid}-`)); // with mode 0700
  const path = join(folder, "config");
  files.set(content, path);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/**
 * Returns an identifier of where a process ID means this process: containers may share a folder, but no process IDs. The
 * number of a namespace is unique on one machine until it restarts.
 */
function pidNamespace(): string {
  return createHash("sha256").update(readNamespace()).digest("hex").slice(0, 12);
}

function readNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid") + readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
  } catch {
    return hostname(); // systems other than Linux have no PID namespaces
  }
}

/** Removes the folders of this user's processes that don't run anymore, as far as that is possible. */
function removeLeftovers(namespace: string): void {
  try {
    for (const name of readdirSync(tmpdir())) {
      const [, created, id] = name.match(leftover) ?? [];
      if (created !== namespace || isRunning(Number(id))) continue;
      const path = join(tmpdir(), name);
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status?.isDirectory() && status.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // The folder can't be listed, or another process has removed a part of it at the same time.
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
