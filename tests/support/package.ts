import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../src/paths.ts";
import { checkout } from "./checkout.ts";

const run = promisify(execFile);
const modules = join(projectRoot, "node_modules");

/**
 * Packs the project as `npm pack` does, and installs it in `node_modules` of a folder as npm would; its dependencies are
 * links to the project's, so that no registry is queried.
 */
export async function installPackage(folder: string): Promise<void> {
  const own = join(folder, "node_modules", "unity-migrations");
  mkdirSync(own, { recursive: true });
  // Packs a copy: packing writes into the folder, which other tests pack or copy at the same time.
  const source = checkout();
  const pack = run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: source.folder });
  const { stdout } = await pack.finally(source.remove);
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("["))) as [{ filename: string }];
  await run("tar", ["--extract", "--gzip", "--strip-components=1", `--file=${filename}`, `--directory=${own}`], {
    cwd: folder,
  });
  rmSync(join(folder, filename));
  for (const name of readdirSync(modules).filter((each) => !each.startsWith("."))) {
    symlinkSync(join(modules, name), join(folder, "node_modules", name));
  }
}
