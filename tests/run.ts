// `node tests/run.ts [SUITE|FILE...]` runs suites or single files, each on what it needs (a real PostgreSQL, a real
// cluster), and ends with the failures and one line that counts all tests. Without arguments it runs all but `faults`.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, matchesGlob } from "node:path";
import { clusterIsHealthy } from "../local/cluster/health.ts";
import { findProgram, installPackages } from "../local/cluster/prerequisites.ts";
import { inventory, stopCluster } from "../local/cluster/stop.ts";
import { findOtherCluster, openTarget } from "../local/target.ts";
import { pythonEnvironment } from "../src/cli/python-environment.ts";
import { compileCache, projectRoot } from "../src/paths.ts";
import { type Counts, countsOf, sum } from "./support/counts.ts";
import { removeLeftovers } from "./support/leftovers.ts";
import { startPostgres } from "./support/postgres.ts";
import { runSuiteProcess, signalSuites } from "./support/suite-process.ts";

const backend = join(projectRoot, "backend");

/** Prints a suite's output: as it comes, or when the suite ends if others run beside it. */
type Print = (text: string) => void;

/** Seconds that a test or hook may take, on a machine that is busy with other work. */
const timeouts = { command: 300, live: 600 } as const;

let isInterrupted = false;

/** Runs a test runner and counts its tests; a process that it leaves running is a failure. */
async function run(command: readonly string[], print: Print, env: NodeJS.ProcessEnv = {}, cwd = projectRoot) {
  if (isInterrupted) throw new Error("interrupted");
  const options = { cwd, env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env }, print };
  const { output, exitCode, left } = await runSuiteProcess(command, options);
  const counts = countsOf(output, exitCode);
  const failures = left.map((process) => `a process outlived the tests: ${process}`);
  return sum([counts, { passed: 0, failed: failures.length, failures }]);
}

function mocha(print: Print, timeoutSeconds: number, ...args: readonly string[]): Promise<Counts> {
  return run(["mocha", `--timeout=${timeoutSeconds}s`, ...args], print);
}

/** Files of the suites that mocha runs, but for `unit`, which has all others. */
const globs = {
  engine: "tests/engine/**/*.test.ts",
  cli: "tests/cli/**/*.test.ts",
  package: "tests/package/**/*.test.ts",
  browser: "tests/browser/**/*.test.ts",
  live: "tests/live/*.test.ts",
  faults: "tests/live/faults/*.test.ts",
} as const;

/** Puts the folder of the interpreter before that of `python3`, which a version manager replaces with a slow script. */
function directPython(): void {
  const { status, stdout } = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  if (status !== 0) return;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = folders.findIndex((folder) => existsSync(join(folder, "python3")));
  process.env.PATH = folders.toSpliced(Math.max(found, 0), 0, dirname(stdout.trim())).join(delimiter);
}

const args = process.argv.slice(2);
const namedFiles = args.filter((arg) => arg.endsWith(".test.ts"));
const suiteOf = (file: string) =>
  (Object.keys(globs) as (keyof typeof globs)[]).find((name) => matchesGlob(file, globs[name])) ?? "unit";

/** Returns the files of a suite that the command line names, otherwise all of them. */
function filesOf(name: keyof typeof globs): readonly string[] {
  const files = namedFiles.filter((file) => suiteOf(file) === name);
  return files.length > 0 ? files : [globs[name]];
}

/** Pure, component and program tests. */
function unit(print: Print): Promise<Counts> {
  const files = namedFiles.filter((file) => suiteOf(file) === "unit");
  return run(files.length > 0 ? ["mocha", ...files] : ["npm", "test", "--silent"], print);
}

/** Tests that start commands: the embedded engine, the package, a browser. */
const commands = (name: "engine" | "package" | "browser") => (print: Print) =>
  mocha(print, timeouts.command, ...filesOf(name));

/** The command line's tests, in two processes: each waits for commands, most of which use one core. */
async function cli(print: Print): Promise<Counts> {
  await ensureTestPrograms(print);
  return mocha(print, timeouts.command, "--parallel", "--jobs=2", ...filesOf("cli"));
}

/** Programs of tests and their packages. Tests are skipped where they can't be installed. */
const testPrograms = { pgbouncer: "pgbouncer", pg_dump: "postgresql-client", psql: "postgresql-client" } as const;
let testProgramsInstalled: Promise<void> | undefined;

/** Installs them once for the suites that run side by side. */
function ensureTestPrograms(print: Print): Promise<void> {
  testProgramsInstalled ??= installTestPrograms((line) => print(`${line}\n`));
  return testProgramsInstalled;
}

async function installTestPrograms(report: (line: string) => void): Promise<void> {
  const missing = Object.entries(testPrograms).filter(([program]) => !findProgram(program));
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (packages.length === 0 || !findProgram("apt-get") || process.getuid?.() !== 0) return;
  report(`Installing ${packages.join(", ")}`);
  await installPackages(packages, () => {}).catch((error: Error) => report(error.message));
}

/** Files of the runner's tests, in two halves. */
function runnerTests(): readonly (readonly string[])[] {
  const files = globSync("../tests/runner/test_*.py", { cwd: backend }).sort();
  return [0, 1].map((half) => files.filter((_, index) => index % 2 === half));
}

/** The backend's and the runner's tests, in processes with a PostgreSQL each: tests change the server's access rules. */
async function python(print: Print): Promise<Counts> {
  const report = (line: string) => print(`${line}\n`);
  const interpreter = await pythonEnvironment({ requirements: join(backend, "requirements-dev.txt"), report });
  await ensureTestPrograms(print);
  const pytest = async (files: readonly string[]) => {
    const postgres = await startPostgres();
    const env = { TEST_DATABASE_URL: postgres.url, PYTHONDONTWRITEBYTECODE: "1" };
    const tests = run([interpreter, "-m", "pytest", "-q", "-rfEs", ...files], print, env, backend);
    return tests.finally(() => postgres.stop());
  };
  return sum(await Promise.all([[], ...runnerTests()].map(pytest)));
}

/**
 * Runs tests on a real cluster: one that is running, or the project's, which is stopped afterwards if it was not running.
 */
async function onCluster(print: Print, files: readonly string[]): Promise<Counts> {
  const isRunning = (await findOtherCluster(process.env)) !== undefined || (await clusterIsHealthy());
  if (isRunning) return liveTests(print, files);
  try {
    return sum([await liveTests(print, files), await stopAndCheck()]);
  } finally {
    await stopCluster();
  }
}

async function liveTests(print: Print, files: readonly string[]): Promise<Counts> {
  const { environment, context, image, postgresImage, isLocal, developer } = await openTarget(process.env);
  const images = {
    MIGRATION_IMAGE: image,
    UNITY_POSTGRES_IMAGE: postgresImage ?? "",
    UNITY_OWN_CLUSTER: String(isLocal),
    ...(developer && { UNITY_DEVELOPER_CLUSTER: JSON.stringify(developer) }),
  };
  Object.assign(process.env, environment, images, { UNITY_CONTEXT: context });
  await removeLeftovers({ isLocal, context }, (line) => print(`${line}\n`));
  // In parallel: each file has a namespace of its own, and waits for much of its time. With a lower priority than the
  // cluster's, whose probes have time limits.
  return run(["nice", "mocha", `--timeout=${timeouts.live}s`, "--parallel", "--jobs=4", ...files], print);
}

/** Stops the cluster. Counts as a test that nothing of it is left. */
async function stopAndCheck(): Promise<Counts> {
  await stopCluster();
  const left = await inventory();
  const failures = left.map((thing) => `left by the cluster: ${thing}`);
  return left.length === 0 ? { passed: 1, failed: 0, failures } : { passed: 0, failed: 1, failures };
}

const suites = {
  unit,
  /** The embedded engine, with programs that need no cluster. */
  engine: commands("engine"),
  /** The command line, with real Alembic and PostgreSQL. */
  cli,
  python,
  /** The package as npm packs it, and the component provider. */
  package: commands("package"),
  /** The backend's page and the report, in a real Chromium. */
  browser: commands("browser"),
  live: (print: Print) => onCluster(print, filesOf("live")),
  /** Faults that are injected on the cluster, for minutes. */
  faults: (print: Print) => onCluster(print, filesOf("faults")),
};
type Name = keyof typeof suites;

/** Stages run in order, the lanes of a stage side by side, and the suites of a lane in order. */
const stages: readonly (readonly (readonly Name[])[])[] = [
  [["unit"]],
  [["cli"], ["python", "package", "engine", "browser"]],
  [["live"]],
  [["faults"]],
];

/** Suites that run only when named. */
const onDemand: readonly Name[] = ["faults"];

/** Runs a suite; one that can't run counts as a failed test. */
async function runSuite(name: Name, alone: boolean): Promise<Counts> {
  const kept: string[] = [];
  const print: Print = alone ? (text) => process.stdout.write(text) : (text) => kept.push(text);
  const started = performance.now();
  console.log(`== ${name}: started`);
  const counts = await suites[name](print).catch((error: unknown): Counts => {
    const message = error instanceof Error ? error.message : String(error);
    print(`${message}\n`);
    return { passed: 0, failed: 1, failures: [message] };
  });
  process.stdout.write(kept.join(""));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`== ${name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds} s\n`);
  return { ...counts, failures: counts.failures.map((failure) => `${name}: ${failure}`) };
}

const named = args.map((arg) => (namedFiles.includes(arg) ? suiteOf(arg) : arg));
const unknown = named.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`error: unknown suite ${unknown.join(", ")}; the suites are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}
directPython();
// Tools leave caches in the folder for temporary files: they get one that is removed with the run. PostgreSQL, which does
// not run as root, creates and removes its folder there, as in /tmp.
const temporary = mkdtempSync(join(tmpdir(), "unity-tests-"));
chmodSync(temporary, 0o1777);
process.env.TMPDIR = temporary;
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));

// The suites' process groups don't get the terminal's signals. The first signal ends the suites, and what they run on is
// stopped; the second one ends this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    isInterrupted = true;
    signalSuites("SIGTERM");
  });
}

const counts: Counts[] = [];
const isSelected = (name: Name) => (named.length === 0 ? !onDemand.includes(name) : named.includes(name));
for (const stage of stages) {
  const alone = stage.flat().filter(isSelected).length === 1;
  const runLane = async (lane: readonly Name[]) => {
    for (const name of lane.filter(isSelected)) if (!isInterrupted) counts.push(await runSuite(name, alone));
  };
  await Promise.all(stage.map(runLane));
}
const { passed, failed, failures } = sum(counts);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
// Whatever still holds this process's event loop must not keep it from ending.
process.exit(failed > 0 || passed === 0 || isInterrupted ? 1 : 0);
