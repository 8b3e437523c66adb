// `node local/package/build.ts [FOLDER]`: makes what `npm pack` packs, in dist by default. Node strips no types from what
// is installed, so a package has to be JavaScript.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { projectRoot } from "../../src/paths.ts";

/** Folders whose other files the programs read: Python that is sent into pods, Alembic's side of `unity lock`. */
const folders = ["src/runner", "src/checks", "src/cluster", "src/cli"] as const;
/** What is not among them. */
const left = /(\.ts|\.pyc|__pycache__)$/;

const folder = resolve(process.argv[2] ?? join(projectRoot, "dist"));
rmSync(folder, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const config = join(projectRoot, "src", "package", "tsconfig.json");
const { status } = spawnSync(process.execPath, [tsc, "--project", config, "--outDir", folder], { stdio: "inherit" });
if (status !== 0) process.exit(1);
for (const name of folders) {
  const filter = (source: string) => !left.test(basename(source));
  cpSync(join(projectRoot, name), join(folder, name), { recursive: true, filter });
}
