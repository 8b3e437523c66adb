import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { withLock } from "./lock.ts";
import { goVersion } from "./prerequisites.ts";
import { withProgress } from "./progress.ts";
import { run } from "./run.ts";

const sourceFolder = join(import.meta.dirname, "node");

/** The build's inputs, relative to the source folder. */
const inputs = ["go.mod", "go.sum", "main.go", "provisioner.go", "pause/main.go"];

const versionPackage = "k8s.io/component-base/version";

/** Returns the flags of `go build`. They set the version that the programs report to that of Kubernetes in go.mod. */
function buildFlags(goMod: string): string[] {
  const [, version = "", major, minor] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)$/m.exec(goMod) ?? [];
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(variables).map(([name, value]) => `-X ${versionPackage}.${name}=${value}`);
  return ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", ["-s -w", ...settings].join(" ")];
}

function readSource(file: string): string {
  return readFileSync(join(sourceFolder, file), "utf8");
}

/** Paths of the two programs of one build. */
export interface Binaries {
  /** All Kubernetes programs. The name of the link that starts it selects the program. */
  readonly node: string;
  /** The static program of the sandbox image. */
  readonly pause: string;
}

/** Returns the key of a build: a hash of its inputs. */
export function buildKey(version: string, read: (file: string) => string = readSource): string {
  const hash = createHash("sha256").update(JSON.stringify([version, process.arch, buildFlags(read("go.mod"))]));
  for (const file of inputs) hash.update(`\n${file}\n`).update(read(file));
  return hash.digest("hex").slice(0, 16);
}

async function buildFolder(): Promise<string> {
  return cachePath("bin", buildKey(await goVersion()));
}

/** Whether the Kubernetes programs of the current sources have been built. */
export async function hasBinaries(): Promise<boolean> {
  return existsSync(await buildFolder());
}

/**
 * Builds the Kubernetes programs from their Go sources, unless they have been built.
 *
 * @param signal - Cancels the build.
 * @throws If Go is missing or the build fails.
 */
export async function ensureBinaries(signal?: AbortSignal): Promise<Binaries> {
  const folder = await buildFolder();
  const buildOnce = async () => {
    if (!existsSync(folder)) await build(folder, signal);
  };
  if (!existsSync(folder)) await withLock(cachePath("build.lock"), buildOnce, signal);
  return { node: join(folder, "node"), pause: join(folder, "pause") };
}

/** Builds the programs into a folder, and removes earlier builds. */
async function build(folder: string, signal?: AbortSignal): Promise<void> {
  const partial = `${folder}.partial`;
  mkdirSync(partial, { recursive: true });
  const args = ["build", "-v", ...buildFlags(readSource("go.mod")), "-o", `${partial}/`, ".", "./pause"];
  // Each compiler runs for seconds and exits: collecting garbage only costs time.
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOGC: "off" };
  try {
    await withProgress("Building Kubernetes (once, 6-10 min on 2 cores)", async (report) => {
      let compiled = 0;
      const onLine = (line: string) => {
        if (line.startsWith("go: ")) return report(line.slice("go: ".length));
        compiled += 1;
        report(`${compiled} packages compiled, now ${line}`);
      };
      await run("go", args, { cwd: sourceFolder, env, onLine, signal });
    });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  for (const name of readdirSync(cachePath("bin"))) {
    const path = cachePath("bin", name);
    if (path !== folder) rmSync(path, { recursive: true, force: true });
  }
}
