import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";

const run = promisify(execFile);

/** What no checkout has, because it is installed or generated: it may change while the project is copied. */
const generated = new Set([".git", "node_modules", "dist", "__pycache__", ".pytest_cache", ".ruff_cache"]);

const isSource = (path: string) => path === projectRoot || !generated.has(basename(path));

/** A checkout to deploy or to pack from: what is in the project, with changes of its own. */
export interface Checkout {
  readonly folder: string;
  remove(): void;
}

/** Copies the project, so that a test can change its revisions and lock them anew; what is installed is the project's. */
export function checkout(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), "unity-checkout-"));
  cpSync(projectRoot, folder, { recursive: true, filter: isSource });
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Records a checkout's chain anew, as its developer would. */
export async function lock(folder: string): Promise<void> {
  await run("node", ["src/cli/main.ts", "lock"], { cwd: folder });
}
