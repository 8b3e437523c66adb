import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { type Report, withProgress } from "../cluster/progress.ts";
import { outputOf, run } from "../cluster/run.ts";
import { buildah, isBuilt } from "./buildah.ts";

/** The Debian release of all images. */
const release = "bookworm";

/** The contents of a root file system. */
export interface RootFileSystem {
  readonly name: string;
  /** Packages in addition to those that Debian requires. */
  readonly packages: readonly string[];
  /** Shell commands that run before these packages are installed; `$1` is the root. */
  readonly before?: readonly string[];
}

/** The base of the backend's image: the part of `python:slim` that the Dockerfile uses. */
export const pythonBase: RootFileSystem = {
  name: "python-base",
  packages: ["python3", "python3-venv", "curl", "ca-certificates"],
};

/** The base of the database's image. The user has the same id as in the official image; no database is created. */
export const postgresBase: RootFileSystem = {
  name: "postgres-base",
  packages: ["postgresql-15"],
  before: [
    'echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/sh" >> "$1"/etc/passwd',
    'echo "postgres:x:999:" >> "$1"/etc/group',
    'mkdir -p "$1"/etc/postgresql-common && echo "create_main_cluster = false" > "$1"/etc/postgresql-common/createcluster.conf',
  ],
};

/** An apt source, as `apt-get indextargets` prints it. */
interface Source {
  readonly label: string;
  readonly uri: string;
}

/** Returns the machine's sources of Debian: the archive and the security archive. */
export function parseSources(text: string): Source[] {
  return text
    .split("\n")
    .map((line) => line.split("|"))
    .filter(([origin]) => origin === "Debian")
    .map(([, label = "", uri = ""]) => ({ label, uri }));
}

/** Returns the lines of a sources.list for the release, with the machine's mirrors. */
export function sourceLines(sources: readonly Source[]): string[] {
  const uriOf = (label: string) => sources.find((source) => source.label === label)?.uri;
  const archive = uriOf("Debian");
  const security = uriOf("Debian-Security");
  const lines: string[] = [];
  if (archive !== undefined) lines.push(`deb ${archive} ${release} main`, `deb ${archive} ${release}-updates main`);
  if (security !== undefined) lines.push(`deb ${security} ${release}-security main`);
  return lines;
}

/** Returns the settings of the machine's apt for reaching its mirrors: proxies, certificates, and retries. */
export function transportOptions(aptConfig: string): string[] {
  return aptConfig
    .split("\n")
    .filter((line) => /^Acquire::(https?(::| )|Check-|Retries|Proxy)/i.test(line) && !line.endsWith(' "";'));
}

async function machineSources(): Promise<string[]> {
  const targets = ["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"];
  const lines = sourceLines(parseSources(await outputOf("apt-get", targets)));
  if (lines.length > 0) return lines;
  await outputOf("apt-get", ["update"]); // The package lists contain the origin.
  return sourceLines(parseSources(await outputOf("apt-get", targets)));
}

/** Commands that remove documentation, caches, and files of the build machine from every image. */
const trimCommands = [
  'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/usr/share/info/*',
  'rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/ssl/private/*',
  'touch "$1"/etc/pip.conf', // Mount point for a build's settings.
];

/** Returns the image reference of a root file system. Its tag is a hash of the inputs. */
export function rootReference(root: RootFileSystem): string {
  const inputs = JSON.stringify([release, process.arch, root, trimCommands]);
  return `localhost/unity-${root.name}:${createHash("sha256").update(inputs).digest("hex").slice(0, 12)}`;
}

/** Builds the image of a root file system from Debian packages, unless it exists. Returns its reference. */
export async function ensureRootImage(root: RootFileSystem, signal?: AbortSignal): Promise<string> {
  const reference = rootReference(root);
  if (await isBuilt(reference)) return reference;
  mkdirSync(cachePath("images"), { recursive: true });
  const folder = mkdtempSync(cachePath("images", "root-"));
  try {
    await withProgress(`Building base image ${root.name} from Debian packages`, async (report) => {
      await buildRoot(root, join(folder, "root.tar"), report, signal);
      report("unpacking");
      writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nADD root.tar /\n");
      await buildah(["bud", "--format", "docker", "--tag", reference, folder], { signal });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return reference;
}

async function buildRoot(root: RootFileSystem, path: string, report: Report, signal?: AbortSignal): Promise<void> {
  const sources = await machineSources();
  const aptConfig = await outputOf("apt-config", ["dump"]);
  const args = ["--variant=minbase", `--include=${root.packages.join(",")}`];
  for (const option of transportOptions(aptConfig)) args.push(`--aptopt=${option}`);
  for (const name of ["man", "doc", "info", "locale"]) args.push(`--dpkgopt=path-exclude=/usr/share/${name}/*`);
  for (const command of root.before ?? []) args.push(`--essential-hook=${command}`);
  for (const command of trimCommands) args.push(`--customize-hook=${command}`);
  args.push(release, path);
  if (sources.length > 0) args.push("-"); // Read the sources from standard input.
  await run("mmdebstrap", args, {
    input: sources.join("\n"),
    onLine: (line) => report(line.slice(0, 60)),
    signal,
  });
}
