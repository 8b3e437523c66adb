import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Names of the folders, with the id of their process. */
const leftover = /^unity-kubeconfig-(\d+)-/;

/** Files of this process, by content. */
const files = new Map<string, string>();

/**
 * Writes a kubeconfig that exists only in memory to a file that only this user can read, because kubectl reads it more than
 * once. The file is removed when this process exits. A process that was killed leaves its file to the next call.
 *
 * @param content - YAML or JSON.
 * @returns The path of the file, the same for the same content.
 */
export function privateKubeconfig(content: string): string {
  const known = files.get(content);
  if (known !== undefined) return known;
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `unity-kubeconfig-${process.pid}-`)); // with mode 0700
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "config");
  writeFileSync(path, content, { mode: 0o600 });
  files.set(content, path);
  return path;
}

/** Removes the folders of this user's processes that don't run anymore. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, id] = name.match(leftover) ?? [];
    if (id === undefined || isRunning(Number(id))) continue;
    const path = join(tmpdir(), name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory() && status.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
