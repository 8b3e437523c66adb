import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";

const run = promisify(execFile);

/** Installed or generated folders, which may change while the project is copied. */
const generated = new Set([".git", "node_modules", "dist", "__pycache__", ".pytest_cache", ".ruff_cache"]);

const isSource = (path: string) => path === projectRoot || !generated.has(basename(path));

/** A copy of the project to deploy or to pack from, with changes of its own. */
export interface Checkout extends Disposable {
  readonly folder: string;
  remove(): void;
}

/** Copies the project, with a link to its installed packages, so that a test can change and lock its revisions. */
export function checkout(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), "unity-checkout-"));
  cpSync(projectRoot, folder, { recursive: true, filter: isSource });
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { folder, remove, [Symbol.dispose]: remove };
}

/**
 * Updates the lockfile of a checkout.
 *
 * @param variables - Variables that its env.py requires.
 */
export async function lock(folder: string, variables: NodeJS.ProcessEnv = {}): Promise<void> {
  await run("node", ["src/cli/main.ts", "lock"], { cwd: folder, env: { ...process.env, ...variables } });
}
