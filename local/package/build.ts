// `node local/package/build.ts [FOLDER]`: builds the contents of the npm package, by default in dist. They are JavaScript
// because Node does not strip types from installed packages.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { projectRoot } from "../../src/paths.ts";

/** Folders with files that the programs read, such as Python that runs in pods or with Alembic. */
const folders = ["src/lockfile", "src/runner", "src/checks", "src/cluster", "src/cli"] as const;
/** Files that are not copied. */
const excluded = /(\.ts|\.pyc|__pycache__)$/;

const folder = resolve(process.argv[2] ?? join(projectRoot, "dist"));
rmSync(folder, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const config = join(projectRoot, "src", "package", "tsconfig.json");
const { status } = spawnSync(process.execPath, [tsc, "--project", config, "--outDir", folder], { stdio: "inherit" });
if (status !== 0) process.exit(1);
for (const name of folders) {
  const filter = (source: string) => !excluded.test(basename(source));
  cpSync(join(projectRoot, name), join(folder, name), { recursive: true, filter });
}
