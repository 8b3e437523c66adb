import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { goVersion } from "./prerequisites.ts";
import { withProgress } from "./progress.ts";
import { run } from "./run.ts";

const sourceFolder = join(import.meta.dirname, "node");

/** The build's inputs, relative to the source folder. */
const inputs = ["go.mod", "go.sum", "main.go", "provisioner.go", "pause/main.go"];

const versionPackage = "k8s.io/component-base/version";

/** @returns Flags of `go build`, which tell the programs their version: that of Kubernetes in go.mod. */
function buildFlags(goMod: string): string[] {
  const [, version = "", major, minor] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)$/m.exec(goMod) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(values).map(([name, value]) => `-X ${versionPackage}.${name}=${value}`);
  return ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", ["-s -w", ...settings].join(" ")];
}

function readSource(file: string): string {
  return readFileSync(join(sourceFolder, file), "utf8");
}

/** The two programs of one build. */
export interface Binaries {
  /** Every Kubernetes program, picked by the name it is called by. */
  readonly node: string;
  /** The static program of the sandbox image. */
  readonly pause: string;
}

/** @returns The key of a build: a hash over what it is made from. */
export function buildKey(version: string, read: (file: string) => string = readSource): string {
  const hash = createHash("sha256").update(JSON.stringify([version, process.arch, buildFlags(read("go.mod"))]));
  for (const file of inputs) hash.update(`\n${file}\n`).update(read(file));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Builds the Kubernetes programs from their Go sources, unless the same inputs have been built before.
 * @throws If Go is missing or the build fails.
 */
export async function ensureBinaries(): Promise<Binaries> {
  const key = buildKey(await goVersion());
  const folder = cachePath("bin", key);
  const binaries: Binaries = { node: join(folder, "node"), pause: join(folder, "pause") };
  if (!existsSync(folder)) {
    await build(folder);
    for (const other of readdirSync(cachePath("bin")))
      if (other !== key) rmSync(cachePath("bin", other), { recursive: true, force: true });
  }
  return binaries;
}

async function build(folder: string): Promise<void> {
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await withProgress("Building Kubernetes from source (6 to 10 minutes on 2 cores, once)", async (say) => {
      let compiled = 0;
      await run("go", ["build", "-v", ...buildFlags(readSource("go.mod")), "-o", `${partial}/`, ".", "./pause"], {
        cwd: sourceFolder,
        // Each compiler runs for seconds and exits: collecting garbage only costs time.
        env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOGC: "off" },
        onLine: (line) => say(line.startsWith("go: ") ? line.slice(4) : `${++compiled} packages compiled, now ${line}`),
      });
    });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
