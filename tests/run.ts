// `node tests/run.ts [SUITE …]`: runs the suites, each on what it needs (a real PostgreSQL, a real cluster), and ends
// with what failed and one line that counts them all. What it starts, it stops.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterIsHealthy } from "../local/cluster/health.ts";
import { findProgram, installPackages } from "../local/cluster/prerequisites.ts";
import { inventory, stopCluster } from "../local/cluster/stop.ts";
import { openTarget } from "../local/target.ts";
import { pythonEnvironment } from "../src/cli/python-environment.ts";
import { projectRoot } from "../src/paths.ts";
import { type Counts, countsOf, sum } from "./support/counts.ts";
import { removeLeftovers } from "./support/leftovers.ts";
import { startPostgres } from "./support/postgres.ts";

const backend = join(projectRoot, "backend");

/** What a suite prints with: as it comes, or kept until the suites beside it are told apart. */
type Print = (text: string) => void;

/** Runs a test runner and counts what it did. */
async function run(command: readonly string[], print: Print, env: NodeJS.ProcessEnv = {}, cwd = projectRoot) {
  const [program = "", ...arguments_] = command;
  const child = spawn(program, arguments_, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      print(text);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return countsOf(output, code ?? 1);
}

/** Pure, component and program tests. */
function unit(print: Print): Promise<Counts> {
  return run(
    [
      "mocha",
      "tests/{lockfile,plan,manifests,cluster,fleet,settings,checks,adoption,preflight,components,policy,promotion,program,local}/**/*.test.ts",
    ],
    print,
  );
}

/** The embedded engine, with programs that need no cluster. */
function engine(print: Print): Promise<Counts> {
  return run(["mocha", "tests/engine/**/*.test.ts"], print);
}

/** The command line, with real Alembic and PostgreSQL. */
function cli(print: Print): Promise<Counts> {
  return run(["mocha", "tests/cli/**/*.test.ts"], print);
}

/** PgBouncer, which the runner's tests of poolers need; where it can't be installed, they are skipped and say so. */
async function ensurePgBouncer(report: (line: string) => void): Promise<void> {
  if (findProgram("pgbouncer") || !findProgram("apt-get") || process.getuid?.() !== 0) return;
  report("Installing pgbouncer");
  await installPackages(["pgbouncer"], () => {}).catch((error: Error) => report(error.message));
}

/** The package that others install, and the component provider. */
function packed(print: Print): Promise<Counts> {
  return run(["mocha", "tests/package/**/*.test.ts"], print);
}

/** The backend's page, in a real Chromium. */
function browser(print: Print): Promise<Counts> {
  return run(["mocha", "tests/browser/**/*.test.ts"], print);
}

/** The backend's and the runner's tests, against a PostgreSQL of their own. */
async function python(print: Print): Promise<Counts> {
  const report = (line: string) => print(`${line}\n`);
  const interpreter = await pythonEnvironment({ requirements: join(backend, "requirements-dev.txt"), report });
  await ensurePgBouncer(report);
  const postgres = await startPostgres();
  try {
    const env = { TEST_DATABASE_URL: postgres.url, PYTHONDONTWRITEBYTECODE: "1" };
    const pytest = (...options: string[]) =>
      run([interpreter, "-m", "pytest", "-q", "-rfEs", ...options], print, env, backend);
    return sum(await Promise.all([pytest(), pytest("../tests/runner")]));
  } finally {
    await postgres.stop();
  }
}

/** The whole path on a real cluster: the user's, if they name one, else one that is stopped afterwards. */
async function onCluster(print: Print, pattern: string): Promise<Counts> {
  if (process.env.CONTEXT !== undefined || (await clusterIsHealthy())) return liveTests(print, pattern);
  try {
    return sum([await liveTests(print, pattern), await stopAndLook()]);
  } finally {
    await stopCluster();
  }
}

async function liveTests(print: Print, pattern: string): Promise<Counts> {
  const { environment, context, image, postgresImage, isLocal } = await openTarget(process.env);
  const images = { UNITY_IMAGE: image, UNITY_POSTGRES_IMAGE: postgresImage ?? "", UNITY_OWN_CLUSTER: String(isLocal) };
  Object.assign(process.env, environment, images, { UNITY_CONTEXT: context });
  await removeLeftovers({ isLocal, context }, (line) => print(`${line}\n`));
  // Side by side: each file has a namespace of its own, and waits for most of its time. On a busy machine a cluster may
  // take longer than anyone expects: what fails is tried once more.
  return run(["mocha", "--parallel", "--jobs=3", "--retries=1", pattern], print);
}

/** Stops the cluster; that nothing of it is left is a test. */
async function stopAndLook(): Promise<Counts> {
  await stopCluster();
  const left = await inventory();
  const failures = left.map((thing) => `left behind by the cluster: ${thing}`);
  return left.length === 0 ? { passed: 1, failed: 0, failures } : { passed: 0, failed: 1, failures };
}

const live = (print: Print) => onCluster(print, "tests/live/*.test.ts");
/** Faults that strike on the cluster; minutes of them, so that they run only when they are named. */
const faults = (print: Print) => onCluster(print, "tests/live/faults/*.test.ts");

const suites = { unit, engine, cli, python, package: packed, browser, live, faults };
type Name = keyof typeof suites;

/** Which suites run side by side, in which order. */
const stages: readonly (readonly Name[])[] = [
  ["unit"],
  ["engine", "cli", "python"],
  ["package"],
  ["browser"],
  ["live"],
  ["faults"],
];

/** What runs only when it is named. */
const onDemand: readonly Name[] = ["faults"];

/** Runs a suite; one that breaks counts as a failed test. */
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

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no suite is called ${unknown.join(", ")}: there are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}
// Tools leave caches in the folder for temporary files: they get one that goes with the run. PostgreSQL, which does not
// run as root, has to get through it.
const temporary = mkdtempSync(join(tmpdir(), "unity-tests-"));
chmodSync(temporary, 0o711);
process.env.TMPDIR = temporary;
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));

const counts: Counts[] = [];
for (const stage of stages) {
  const names = stage.filter((name) => (asked.length === 0 ? !onDemand.includes(name) : asked.includes(name)));
  counts.push(...(await Promise.all(names.map((name) => runSuite(name, names.length === 1)))));
}
const { passed, failed, failures } = sum(counts);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
