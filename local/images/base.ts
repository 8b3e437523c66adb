import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { type Say, withProgress } from "../cluster/progress.ts";
import { ask, run } from "../cluster/run.ts";
import { buildah, isBuilt } from "./buildah.ts";

/** Debian's release that all images are made from. */
const release = "bookworm";

/** What a root file system is made of, besides Debian's required packages. */
export interface RootFileSystem {
  readonly name: string;
  readonly packages: readonly string[];
  /** Shell commands run before these packages are installed; `$1` is the root. @default None. */
  readonly before?: readonly string[];
}

/** The base of the backend's image: what `python:slim` offers of what the Dockerfile uses. */
export const pythonBase: RootFileSystem = {
  name: "python-base",
  packages: ["python3", "python3-venv", "curl", "ca-certificates"],
};

/** The base of the database's image. The user has the id it has in the official image; no database is made in it. */
export const postgresBase: RootFileSystem = {
  name: "postgres-base",
  packages: ["postgresql-15"],
  before: [
    'echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/sh" >> "$1"/etc/passwd',
    'echo "postgres:x:999:" >> "$1"/etc/group',
    'mkdir -p "$1"/etc/postgresql-common && echo "create_main_cluster = false" > "$1"/etc/postgresql-common/createcluster.conf',
  ],
};

/** One line of what apt is configured to read, as `apt-get indextargets` prints it. */
interface Source {
  readonly label: string;
  readonly uri: string;
}

/** @returns The machine's own sources of Debian: its archive and its security archive. */
export function parseSources(text: string): Source[] {
  return text
    .split("\n")
    .map((line) => line.split("|"))
    .filter(([origin]) => origin === "Debian")
    .map(([, label = "", uri = ""]) => ({ label, uri }));
}

/** @returns Lines of a sources.list for the release, from the mirrors that the machine uses. */
export function sourceLines(sources: readonly Source[]): string[] {
  const uri = (label: string) => sources.find((source) => source.label === label)?.uri;
  const [main, security] = [uri("Debian"), uri("Debian-Security")];
  return [
    ...(main === undefined ? [] : [`deb ${main} ${release} main`, `deb ${main} ${release}-updates main`]),
    ...(security === undefined ? [] : [`deb ${security} ${release}-security main`]),
  ];
}

/** @returns Settings of the machine's apt that say how to reach its mirrors: proxies, certificates, retries. */
export function transportOptions(aptConfig: string): string[] {
  return aptConfig
    .split("\n")
    .filter((line) => /^Acquire::(https?(::| )|Check-|Retries|Proxy)/i.test(line) && !line.endsWith(' "";'));
}

async function machineSources(): Promise<string[]> {
  const targets = ["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"];
  const known = sourceLines(parseSources(await ask("apt-get", targets)));
  if (known.length > 0) return known;
  await ask("apt-get", ["update"]); // the origin is known only once the lists are there
  return sourceLines(parseSources(await ask("apt-get", targets)));
}

/** Removed from every image: documentation, caches, and what tells of the machine that built it. */
const trimCommands = [
  'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/usr/share/info/*',
  'rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/ssl/private/*',
  'touch "$1"/etc/pip.conf', // the place where a build's settings are mounted
];

/** @returns The reference of the image of a root file system: its tag is a hash over what it is made from. */
export function rootReference(root: RootFileSystem): string {
  const inputs = JSON.stringify([release, process.arch, root, trimCommands]);
  return `localhost/unity-${root.name}:${createHash("sha256").update(inputs).digest("hex").slice(0, 12)}`;
}

/**
 * Makes an image of a root file system from Debian's packages, unless it is there.
 * @returns Its reference.
 */
export async function ensureRootImage(root: RootFileSystem): Promise<string> {
  const reference = rootReference(root);
  if (await isBuilt(reference)) return reference;
  mkdirSync(cachePath("images"), { recursive: true });
  const folder = mkdtempSync(cachePath("images", "root-"));
  try {
    await withProgress(`Making image ${reference} from Debian's packages`, async (say) => {
      await makeRoot(root, join(folder, "root.tar"), say);
      say("unpacking");
      writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nADD root.tar /\n");
      await buildah(["bud", "--format", "docker", "--tag", reference, folder]);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return reference;
}

async function makeRoot(root: RootFileSystem, path: string, say: Say): Promise<void> {
  const sources = await machineSources();
  const args = [
    ...["--variant=minbase", `--include=${root.packages.join(",")}`],
    ...transportOptions(await ask("apt-config", ["dump"])).map((option) => `--aptopt=${option}`),
    ...["man", "doc", "info", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    ...(root.before ?? []).map((command) => `--essential-hook=${command}`),
    ...trimCommands.map((command) => `--customize-hook=${command}`),
    ...[release, path],
    ...(sources.length > 0 ? ["-"] : []),
  ];
  await run("mmdebstrap", args, { input: sources.join("\n"), onLine: (line) => say(line.slice(0, 60)) });
}
