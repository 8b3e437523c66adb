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
  const own = join(folder, "node_modules", "pulumi-alembic");
  mkdirSync(own, { recursive: true });
  const filename = await pack(folder);
  await run("tar", ["--extract", "--gzip", "--strip-components=1", `--file=${filename}`, `--directory=${own}`], {
    cwd: folder,
  });
  rmSync(join(folder, filename));
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
