import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { cachePath } from "../paths.ts";
import { readRequirements } from "./requirements.ts";
import { CommandError } from "./result.ts";

const oldestPython = [3, 9] as const;

export interface PythonEnvironmentOptions {
  /** Path of the backend's `requirements.txt`. */
  readonly requirements: string;
  /** Prints a line of progress. */
  readonly report: (line: string) => void;
  /** @defaultValue `python-environments` in the cache folder */
  readonly folder?: string;
  /**
   * Interpreter that creates the environment.
   *
   * @defaultValue "python3"
   */
  readonly python?: string;
}

/**
 * Finds or creates a Python environment with the packages of `requirements`. It is cached under a hash of what that file
 * installs and of the interpreter.
 *
 * The environment is created in its own folder, `<key>.<process id>`, and the link `<key>` to it last. A killed run
 * leaves no link, so a partial environment is never used.
 *
 * @returns The path of the environment's interpreter.
 * @throws {CommandError} If Python or its venv module is missing or too old, or the requirements can't be installed.
 */
export async function pythonEnvironment(options: PythonEnvironmentOptions): Promise<string> {
  const { requirements, report, folder = cachePath("python-environments"), python = "python3" } = options;
  if (!existsSync(requirements))
    throw new CommandError(
      `${requirements} not found\nAdd it, or pass an interpreter that has Alembic: --python <interpreter>`,
    );
  const identity = identify(python);
  const { hash, hasSources } = readRequirements(requirements);
  const key = createHash("sha256").update(hash).update(identity).digest("hex").slice(0, 16);
  const link = join(folder, key);
  const interpreter = join(link, "bin", "python");
  if (existsSync(interpreter)) return interpreter;

  requireVenv(python);
  removeLeftovers(link);
  const own = `${link}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  report(`Creating the Python environment of ${requirements} (cached in ${folder})`);
  await run(python, ["-m", "venv", own], report, `can't create a virtual environment in ${own}`);
  const install = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"];
  const failure = `pip can't install ${requirements}; check the file and the access to the package index`;
  // As in the image: relative paths of local projects start at the file's folder.
  const place = { cwd: dirname(requirements), env: { ...process.env, DIST_EXTRA_CONFIG: buildConfiguration(own) } };
  const pip = join(own, "bin", "python");
  await run(pip, [...install, "-r", requirements], report, failure, place).catch((error) => {
    rmSync(own, { recursive: true, force: true });
    throw error;
  });
  if (hasSources) removeEarlier(link, requirements);
  if (hasSources) writeFileSync(join(own, ownerFile), requirements);
  publish(own, link, interpreter);
  return interpreter;
}

/**
 * Returns the path of a configuration for setuptools (https://setuptools.pypa.io/en/latest/deprecated/distutils/configfile.html)
 * that builds local projects outside of their folders. Their own `build` folder may contain files that were removed
 * since the last build, and would be installed.
 */
function buildConfiguration(environment: string): string {
  const path = join(environment, "setuptools.cfg");
  writeFileSync(path, `[build]\nbuild_base = ${join(environment, "build")}\n`);
  return path;
}

/** Identities of the interpreters that this process has run. */
const identities = new Map<string, string>();

/** Returns the version, implementation, and location of an interpreter: what an environment depends on. */
function identify(python: string): string {
  const known = identities.get(python);
  if (known !== undefined) return known;
  const script =
    "import sys; print(*sys.version_info[:2]); print(sys.version, sys.implementation.cache_tag, sys.base_prefix)";
  const { error, status, stdout, stderr } = spawnSync(python, ["-c", script], { encoding: "utf8" });
  if (error || status !== 0) {
    throw new CommandError(
      `can't run ${python}: ${error?.message ?? stderr.trim()}\n` +
        `Install Python ${oldestPython.join(".")} or later; on Debian or Ubuntu, run: apt-get install python3 python3-venv`,
    );
  }
  const [major = 0, minor = 0] = (stdout.split("\n")[0] ?? "").split(" ").map(Number);
  if (major < oldestPython[0] || (major === oldestPython[0] && minor < oldestPython[1])) {
    throw new CommandError(
      `${python} is Python ${major}.${minor}, but ${oldestPython.join(".")} or later is required\n` +
        "Pass another interpreter: --python <interpreter>",
    );
  }
  identities.set(python, stdout);
  return stdout;
}

/** @throws {CommandError} If an interpreter can't create an environment. */
function requireVenv(python: string): void {
  if (spawnSync(python, ["-c", "import venv, ensurepip"]).status === 0) return;
  throw new CommandError(`${python} lacks the venv module\nOn Debian or Ubuntu, run: apt-get install python3-venv`);
}

/** Removes the folders of killed runs, but not the environment that another run has published in the meantime. */
function removeLeftovers(link: string): void {
  const prefix = `${basename(link)}.`;
  for (const name of existsSync(dirname(link)) ? readdirSync(dirname(link)) : []) {
    const owner = Number(name.slice(prefix.length));
    if (!name.startsWith(prefix) || (owner !== process.pid && isRunning(owner))) continue;
    if (targetOf(link) !== name) rmSync(join(dirname(link), name), { recursive: true, force: true });
  }
}

/** Returns the target of a link; `undefined` without a link. */
function targetOf(link: string): string | undefined {
  return lstatSync(link, { throwIfNoEntry: false }) && readlinkSync(link);
}

/** File of an environment with the path of the requirements whose sources it contains. */
const ownerFile = "requirements-path";

/** Removes the environments of earlier sources of the same project. */
function removeEarlier(link: string, requirements: string): void {
  for (const name of readdirSync(dirname(link)).filter((name) => !name.includes("."))) {
    const earlier = join(dirname(link), name);
    const owner = join(earlier, ownerFile);
    if (!existsSync(owner) || readFileSync(owner, "utf8") !== requirements) continue;
    const environment = realpathSync(earlier);
    rmSync(earlier);
    rmSync(environment, { recursive: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/** Links to the finished environment, unless another run has finished first. A broken link is replaced. */
function publish(own: string, link: string, interpreter: string): void {
  try {
    symlinkSync(basename(own), link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (targetOf(link) === basename(own)) return;
    if (existsSync(interpreter)) {
      rmSync(own, { recursive: true, force: true });
    } else {
      symlinkSync(basename(own), `${own}.link`);
      renameSync(`${own}.link`, link);
    }
  }
}

/**
 * Runs a step and reports the packages that pip collects and installs.
 *
 * @throws {CommandError} With the end of the step's output.
 */
async function run(
  command: string,
  args: string[],
  report: (line: string) => void,
  failure: string,
  options: Pick<SpawnOptions, "cwd" | "env"> = {},
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (/^(Collecting|Installing)/.test(line)) report(`  ${line}`);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new CommandError(`${failure}\n${lines.slice(-10).join("\n")}`);
}
