import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { Compilation, sourceBytes } from "./compilation.ts";
import { statePath } from "./config.ts";
import { withLock } from "./lock.ts";
import { findProgram, goVersion } from "./prerequisites.ts";
import { withProgress } from "./progress.ts";
import { run } from "./run.ts";

const sourceFolder = join(import.meta.dirname, "node");

/** The build's inputs, relative to the source folder. */
const inputs = ["go.mod", "go.sum", "main.go", "kubectl.go", "provisioner.go", "pause/main.go"];

const versionPackage = "k8s.io/component-base/version";

/** The version of Kubernetes in go.mod. */
function kubernetesVersion(goMod: string): {
  readonly version: string;
  readonly major: string;
  readonly minor: string;
} {
  const [, version = "", major = "", minor = ""] = /^\tk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)$/m.exec(goMod) ?? [];
  return { version, major, minor };
}

/** Returns the flags of `go build`. They set the version that the programs report to that of Kubernetes in go.mod. */
function buildFlags(goMod: string, withKubectl: boolean): string[] {
  const { version, major, minor } = kubernetesVersion(goMod);
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(variables).map(([name, value]) => `-X ${versionPackage}.${name}=${value}`);
  const ldflags = ["-s -w", ...settings].join(" ");
  return ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", ldflags, ...buildTags(withKubectl)];
}

function buildTags(withKubectl: boolean): string[] {
  return withKubectl ? [] : ["-tags=nokubectl"];
}

function readSource(file: string): string {
  return readFileSync(join(sourceFolder, file), "utf8");
}

/** Paths of the programs of the cluster. */
export interface Binaries {
  /** All Kubernetes programs. The name of the link that starts it selects the program. */
  readonly node: string;
  /** The static program of the sandbox image. */
  readonly pause: string;
  /** The program to start as kubectl. */
  readonly kubectl: string;
}

/** Returns the key of a build: a hash of its inputs. */
export function buildKey(version: string, withKubectl = true, read: (file: string) => string = readSource): string {
  const flags = buildFlags(read("go.mod"), withKubectl);
  const hash = createHash("sha256").update(JSON.stringify([version, process.arch, flags]));
  for (const file of inputs) hash.update(`\n${file}\n`).update(read(file));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Whether a kubectl works with the cluster: it is at most one minor version older or newer
 * (https://kubernetes.io/releases/version-skew-policy/#kubectl).
 *
 * @param output - Output of `kubectl version --client --output=json`.
 */
export function isSuitableKubectl(output: string, goMod: string = readSource("go.mod")): boolean {
  const { major, minor } = kubernetesVersion(goMod);
  const [, ownMajor, ownMinor] = /"gitVersion": "v(\d+)\.(\d+)\./.exec(output) ?? [];
  return ownMajor === major && Math.abs(Number(ownMinor) - Number(minor)) <= 1;
}

/** Returns the path of the user's kubectl, if it works with the cluster. */
async function findKubectl(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== statePath("bin"));
  const path = findProgram("kubectl", folders.join(delimiter));
  if (path === undefined) return undefined;
  const output = await run(path, ["version", "--client", "--output=json"]).catch(() => "");
  return isSuitableKubectl(output) ? path : undefined;
}

/** A build of the Kubernetes programs. */
interface BuildChoice {
  readonly folder: string;
  /** The user's kubectl, if the build lacks it. */
  readonly kubectl: string | undefined;
}

/** Chooses the complete build if it exists; otherwise, one without kubectl if the user has it. */
async function chooseBuild(): Promise<BuildChoice> {
  const version = await goVersion();
  const complete = cachePath("bin", buildKey(version));
  const kubectl = existsSync(complete) ? undefined : await findKubectl();
  return { folder: kubectl === undefined ? complete : cachePath("bin", buildKey(version, false)), kubectl };
}

/** Whether the Kubernetes programs of the current sources have been built. */
export async function hasBinaries(): Promise<boolean> {
  return existsSync((await chooseBuild()).folder);
}

/**
 * Builds the Kubernetes programs from their Go sources, unless they have been built. kubectl is built only if there is no
 * other that works with the cluster.
 *
 * @param signal - Cancels the build.
 * @throws If Go is missing or the build fails.
 */
export async function ensureBinaries(signal?: AbortSignal): Promise<Binaries> {
  const choice = await chooseBuild();
  const { folder, kubectl } = choice;
  const buildOnce = async () => {
    if (!existsSync(folder)) await build(choice, signal);
  };
  if (!existsSync(folder)) await withLock(cachePath("build.lock"), buildOnce, signal);
  const node = join(folder, "node");
  return { node, pause: join(folder, "pause"), kubectl: kubectl ?? node };
}

/** Builds the programs into a folder, and removes earlier builds. */
async function build({ folder, kubectl }: BuildChoice, signal?: AbortSignal): Promise<void> {
  const partial = `${folder}.partial`;
  mkdirSync(partial, { recursive: true });
  const args = [
    "build",
    "-v",
    ...buildFlags(readSource("go.mod"), kubectl === undefined),
    "-o",
    `${partial}/`,
    ".",
    "./pause",
  ];
  // Each compiler runs for seconds and exits: collecting garbage only costs time.
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOGC: "off" };
  try {
    await withProgress("Building Kubernetes (once, 6-10 min on 2 cores)", async (report) => {
      const onDownload = (line: string) => {
        if (line.startsWith("go: ")) report(line.slice("go: ".length));
      };
      const list = [
        "list",
        "-deps",
        "-json=ImportPath,Dir,GoFiles",
        ...buildTags(kubectl === undefined),
        ".",
        "./pause",
      ];
      const packages = await run("go", list, { cwd: sourceFolder, env, onLine: onDownload, signal });
      const compilation = new Compilation(sourceBytes(packages));
      const onLine = (line: string) => {
        if (!line.startsWith("go: ")) report(compilation.add(line));
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
