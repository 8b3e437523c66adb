import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cniPluginFolder, containerdSocket } from "./config.ts";
import { startTimeOf } from "./processes.ts";
import { type Report, withProgress } from "./progress.ts";
import { CanceledError, run, succeeds } from "./run.ts";

/** Debian's keys, which other distributions' apt lacks. mmdebstrap expects them here. */
const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Programs and files that the cluster and the images require, and the Debian packages that contain them. */
const packageOf: Readonly<Record<string, string>> = {
  etcd: "etcd-server",
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  [join(cniPluginFolder, "bridge")]: "containernetworking-plugins",
  [join(cniPluginFolder, "host-local")]: "containernetworking-plugins",
  nft: "nftables",
  conntrack: "conntrack",
  ip: "iproute2",
  ss: "iproute2",
  mount: "mount",
  openssl: "openssl",
  buildah: "buildah",
  mmdebstrap: "mmdebstrap",
  [debianKeys]: "debian-archive-keyring",
};

/** Packages whose services apt enables. */
const packagesWithServices = ["etcd", "containerd", "pgbouncer"];

/** Oldest Go that compiles Kubernetes' sources. */
const oldestGo = [1, 24] as const;

/** Longest path of a Unix socket (unix(7)). */
const longestSocketPath = 107;

/** Prevents packages from starting their services by exiting with 101, "action forbidden by policy" (invoke-rc.d(8)). */
const servicePolicy = "/usr/sbin/policy-rc.d";

/** Returns the policy's text. It names the process that removes the policy after installing packages. */
export function policyText(pid: number): string {
  return `#!/bin/sh\n# No service starts while process ${pid} of this project installs packages\nexit 101\n`;
}

/** Whether a policy is a {@link policyText} of a process that has ended. */
export function isStalePolicy(text: string): boolean {
  const pid = Number(/process (\d+) of/.exec(text)?.[1]);
  return text === policyText(pid) && startTimeOf(pid) === undefined;
}

/** Removes the policy of an installation that was killed. */
function removeStalePolicy(): void {
  if (!existsSync(servicePolicy)) return;
  if (isStalePolicy(readFileSync(servicePolicy, "utf8"))) rmSync(servicePolicy, { force: true });
}

/** Returns the path of a program on PATH, or `undefined`. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  const candidates = path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Returns the missing ones of programs and files. */
function missingOf(required: Readonly<Record<string, string>>): string[] {
  const exists = (name: string) => (name.startsWith("/") ? existsSync(name) : findProgram(name) !== undefined);
  return Object.keys(required).filter((name) => !exists(name));
}

/** @throws If this is not Linux or the user is not root. */
export function requireRoot(): void {
  const useOwnCluster = "set CONTEXT to a context of your kubeconfig";
  if (process.platform !== "linux")
    throw new Error(
      `the local cluster requires Linux; this is ${process.platform}\nTo use another cluster, ${useOwnCluster}`,
    );
  if (process.getuid?.() !== 0)
    throw new Error(
      `the local cluster requires root, for namespaces, mounts, and a bridge; the user id is ${process.getuid?.()}\n` +
        `Run the same command with sudo -E, or ${useOwnCluster}`,
    );
}

/**
 * Installs the programs that the cluster and the images require.
 *
 * @throws If one can't be installed, or this machine can't run the cluster.
 */
export async function ensurePrerequisites(): Promise<void> {
  requireRoot();
  if (Buffer.byteLength(containerdSocket) > longestSocketPath)
    throw new Error(
      `socket path ${containerdSocket} is longer than ${longestSocketPath} bytes\nSet PULUMI_ALEMBIC_CACHE to a shorter path`,
    );
  await ensureInstalled(packageOf);
}

/**
 * Installs missing programs and files from Debian or Ubuntu packages without starting their services. Requires root.
 *
 * @param required - Programs and files, and the packages that contain them.
 * @throws If one is missing and can't be installed.
 */
export async function ensureInstalled(required: Readonly<Record<string, string>>): Promise<void> {
  const canInstall = process.getuid?.() === 0 && findProgram("apt-get") !== undefined;
  if (canInstall) removeStalePolicy();
  const missing = missingOf(required);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => required[name] as string))];
  const command = `apt-get install ${packages.join(" ")}`;
  const message = `missing: ${missing.join(", ")}\nTo install them on Debian or Ubuntu, run: ${command}`;
  if (!canInstall) throw new Error(message);
  await withProgress(`Installing ${packages.join(", ")}`, async (report) => {
    try {
      await installPackages(packages, report);
    } catch (error) {
      if (error instanceof CanceledError) throw error;
      throw new Error(`${message}\n${(error as Error).message}`);
    }
  });
  const stillMissing = missingOf(required);
  if (stillMissing.length > 0) throw new Error(`still missing after ${command}: ${stillMissing.join(", ")}`);
}

/** Installs Debian or Ubuntu packages without starting their services. Requires root. */
export async function installPackages(packages: readonly string[], report: Report): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, onLine: report };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  const createsPolicy = !existsSync(servicePolicy);
  if (createsPolicy) writeFileSync(servicePolicy, policyText(process.pid), { mode: 0o755 });
  try {
    if (!(await succeeds("apt-get", install, options))) {
      await run("apt-get", ["update"], options); // The package lists may be missing or old.
      await run("apt-get", install, options);
    }
  } finally {
    if (createsPolicy) rmSync(servicePolicy, { force: true });
  }
  if (!existsSync("/run/systemd/system")) return;
  const services = packagesWithServices.filter((service) => packages.some((name) => name.startsWith(service)));
  if (services.length > 0) await succeeds("systemctl", ["disable", "--quiet", ...services]);
}

/**
 * Returns Go's version, such as `go1.26.8`.
 *
 * @throws If Go is missing or too old.
 */
export async function goVersion(): Promise<string> {
  const required = `Go ${oldestGo.join(".")} or later is required to build the local cluster\nInstall it from https://go.dev/dl and add its bin folder to PATH`;
  if (findProgram("go") === undefined) throw new Error(`go not found on PATH; ${required}`);
  const version = (await run("go", ["env", "GOVERSION"])).trim();
  const [major = 0, minor = 0] = version.replace(/^go/, "").split(".").map(Number.parseFloat);
  if (major < oldestGo[0] || (major === oldestGo[0] && minor < oldestGo[1]))
    throw new Error(`${version} is too old; ${required}`);
  return version;
}
