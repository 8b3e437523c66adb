import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join } from "node:path";
import { cniPluginFolder } from "./config.ts";
import { startTimeOf } from "./processes.ts";
import { withProgress } from "./progress.ts";
import { run } from "./run.ts";

/** Debian's keys, which another distribution's apt doesn't have: mmdebstrap looks for them here. */
const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Programs and files that the cluster and the images need, each with the Debian package that brings it. */
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

/** Signals that end an installation from outside. */
const endingSignals = ["SIGINT", "SIGTERM"] as const;

/** Oldest Go that Kubernetes' sources build with. */
const oldestGo = [1, 24] as const;

/** Answers 101, "action forbidden by policy": packages then don't start the services they bring (invoke-rc.d(8)). */
const servicePolicy = "/usr/sbin/policy-rc.d";

/** @returns The policy's text, which names the process that takes it away when it has installed its packages. */
export function policyText(pid: number): string {
  return `#!/bin/sh\n# No service starts while process ${pid} of unity-migrations installs packages\nexit 101\n`;
}

/** Removes the policy that an installation left which was killed. */
function removeStalePolicy(): void {
  const text = existsSync(servicePolicy) ? readFileSync(servicePolicy, "utf8") : "";
  if (isStalePolicy(text)) rmSync(servicePolicy, { force: true });
}

/** @returns Whether a policy is one of {@link policyText}, of a process that has ended. */
export function isStalePolicy(text: string): boolean {
  const pid = Number(/process (\d+) of/.exec(text)?.[1]);
  return text === policyText(pid) && startTimeOf(pid) === undefined;
}

/** @returns The path of a program on PATH, or undefined. */
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

/** @returns The programs and files of `wanted` that are missing. */
function missingPrograms(wanted: Readonly<Record<string, string>>): string[] {
  const isThere = (name: string) => (name.startsWith("/") ? existsSync(name) : findProgram(name) !== undefined);
  return Object.keys(wanted).filter((name) => !isThere(name));
}

/** @throws If this is no Linux or the user isn't root. */
export function requireRoot(): void {
  if (process.platform !== "linux")
    throw new Error(
      `The local cluster runs on Linux, not on ${process.platform}: name a context of your own kubeconfig instead`,
    );
  if (process.getuid?.() !== 0)
    throw new Error(
      `The local cluster needs root (it makes namespaces, mounts and a bridge), the user id is ${process.getuid?.()}: run the same command with sudo -E, or name a context of your own kubeconfig instead`,
    );
}

/**
 * Makes sure that every program the cluster and the images need is there.
 * @throws As {@link ensureInstalled}, and where the cluster can't run at all.
 */
export async function ensurePrerequisites(): Promise<void> {
  requireRoot();
  await ensureInstalled(packageOf);
}

/**
 * Makes sure that programs and files are there; on Debian and Ubuntu, as root, installs what is missing, without starting
 * any service.
 * @param wanted Each with the Debian package that brings it.
 * @throws If something is missing that can't be installed, naming it and the way to get it.
 */
export async function ensureInstalled(wanted: Readonly<Record<string, string>>): Promise<void> {
  const mayInstall = process.getuid?.() === 0 && findProgram("apt-get") !== undefined;
  if (mayInstall) removeStalePolicy();
  const missing = missingPrograms(wanted);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => wanted[program] as string))];
  const hint = `Missing: ${missing.join(", ")}. Debian's packages of them: apt-get install ${packages.join(" ")}`;
  if (!mayInstall) throw new Error(hint);
  await withProgress(`Installing ${packages.join(", ")}`, async (say) => {
    await installPackages(packages, say).catch((error: Error) => {
      throw new Error(`${hint}\n${error.message}`);
    });
  });
  const left = missingPrograms(wanted);
  if (left.length > 0) throw new Error(`Still missing after apt-get install ${packages.join(" ")}: ${left.join(", ")}`);
}

/** Installs packages of Debian's or Ubuntu's, as root, without starting any service. */
export async function installPackages(packages: readonly string[], say: (what: string) => void): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  const madePolicy = !existsSync(servicePolicy);
  const removePolicy = () => {
    if (madePolicy) rmSync(servicePolicy, { force: true });
  };
  const interrupted = (signal: NodeJS.Signals) => {
    removePolicy();
    process.exit(128 + osConstants.signals[signal]);
  };
  for (const signal of endingSignals) process.once(signal, interrupted);
  if (madePolicy) writeFileSync(servicePolicy, policyText(process.pid), { mode: 0o755 });
  try {
    await run("apt-get", install, { env, onLine: say }).catch(async () => {
      await run("apt-get", ["update"], { env, onLine: say }); // the lists may be missing or old
      await run("apt-get", install, { env, onLine: say });
    });
  } finally {
    removePolicy();
    for (const signal of endingSignals) process.off(signal, interrupted);
  }
  if (existsSync("/run/systemd/system")) {
    const services = ["etcd", "containerd", "pgbouncer"].filter((name) => packages.some((one) => one.startsWith(name)));
    if (services.length > 0) await run("systemctl", ["disable", "--quiet", ...services]).catch(() => {});
  }
}

/**
 * @returns Go's version, such as `go1.26.8`.
 * @throws If Go is missing or too old, naming the way to get it.
 */
export async function goVersion(): Promise<string> {
  const wanted = `Go ${oldestGo.join(".")} or later builds the local Kubernetes: install it from https://go.dev/dl and put its bin folder on PATH`;
  if (findProgram("go") === undefined) throw new Error(`go is not on PATH. ${wanted}`);
  const version = (await run("go", ["env", "GOVERSION"])).trim();
  const [major = 0, minor = 0] = version.replace(/^go/, "").split(".").map(Number.parseFloat);
  if (major < oldestGo[0] || (major === oldestGo[0] && minor < oldestGo[1]))
    throw new Error(`${version} is too old. ${wanted}`);
  return version;
}
