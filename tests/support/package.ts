import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";
import { checkout } from "./checkout.ts";

const run = promisify(execFile);
const modules = join(projectRoot, "node_modules");

/** The file that this process has packed: packing compiles the project. */
let packed: Promise<string> | undefined;

async function packOnce(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "unity-packed-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, await pack(folder));
}

/**
 * Packs the project as `npm pack` does, once per process, and installs it in `node_modules` of a folder as npm would; its
 * dependencies are links to the project's, so that no registry is queried.
 */
export async function installPackage(folder: string): Promise<void> {
  const own = join(folder, "node_modules", "pulumi-alembic");
  mkdirSync(own, { recursive: true });
  packed ??= packOnce();
  await run("tar", ["--extract", "--gzip", "--strip-components=1", `--file=${await packed}`, `--directory=${own}`]);
  for (const name of readdirSync(modules).filter((each) => !each.startsWith("."))) {
    symlinkSync(join(modules, name), join(folder, "node_modules", name));
  }
}

/**
 * Packs the project into a folder, as `npm pack` does.
 *
 * @returns The file's name.
 */
export async function pack(folder: string): Promise<string> {
  // Packs a copy: packing writes into the folder, which other tests pack or copy at the same time.
  const source = checkout();
  const packed = run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: source.folder });
  const { stdout } = await packed.finally(source.remove);
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [{ filename: string }];
  return filename;
}
