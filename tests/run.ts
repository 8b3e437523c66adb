// `node tests/run.ts [SUITE …]`: runs the suites, each on what it needs (a real PostgreSQL, a real cluster), and ends
// with one line that counts them all. What it starts, it stops.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pythonEnvironment } from "../cli/python-environment.ts";
import { inventory } from "../local/cluster/inventory.ts";
import { clusterStatus } from "../local/cluster/status.ts";
import { stopCluster } from "../local/cluster/stop.ts";
import { projectRoot } from "../local/paths.ts";
import { openTarget } from "../local/target.ts";
import { type Counts, countsOf, sum } from "./support/counts.ts";
import { startPostgres } from "./support/postgres.ts";

const backend = join(projectRoot, "backend");

/** Runs a test runner, its output shown as it comes. A runner that fails without a failed test counts as one. */
async function run(command: readonly string[], env: NodeJS.ProcessEnv, cwd = projectRoot): Promise<Counts> {
  const [program = "", ...arguments_] = command;
  const child = spawn(program, arguments_, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return countsOf(output, code ?? 1);
}

const mocha = (...files: string[]) => ["mocha", ...files];
const report = (line: string) => console.error(line);

/** Pure, component and program tests. */
function unit(): Promise<Counts> {
  return run(mocha("tests/{migrations,manifests,settings,checks,components,program,local}/**/*.test.ts"), {});
}

/** The embedded engine, with programs that need no cluster. */
function engine(): Promise<Counts> {
  return run(mocha("tests/engine/**/*.test.ts"), {});
}

/** The command line, with real Alembic and PostgreSQL. */
function cli(): Promise<Counts> {
  return run(mocha("tests/cli/**/*.test.ts"), {});
}

/** The backend's and the runner's tests, against a PostgreSQL of their own. */
async function python(): Promise<Counts> {
  const interpreter = await pythonEnvironment({ requirements: join(backend, "requirements-dev.txt"), report });
  const postgres = await startPostgres();
  try {
    const pytest = [interpreter, "-m", "pytest", "-q"];
    const env = { TEST_DATABASE_URL: postgres.url, PYTHONDONTWRITEBYTECODE: "1" };
    return sum([await run(pytest, env, backend), await run([...pytest, "../tests/runner"], env, backend)]);
  } finally {
    await postgres.stop();
  }
}

/** The whole path on a real cluster: the user's, if they name one, else one that is stopped afterwards. */
async function live(): Promise<Counts> {
  const ran = (await clusterStatus()).running;
  const { environment, context, image, postgresImage, own } = await openTarget(process.env);
  const env = { ...environment, UNITY_CONTEXT: context, UNITY_IMAGE: image, UNITY_POSTGRES_IMAGE: postgresImage ?? "" };
  const counts = await run(mocha("tests/live/**/*.test.ts"), env);
  if (!own || ran) return counts;
  await stopCluster();
  const left = await inventory();
  for (const thing of left) console.log(`left behind by the cluster: ${thing}`);
  return sum([counts, { passed: left.length === 0 ? 1 : 0, failed: left.length === 0 ? 0 : 1 }]);
}

const suites = { unit, engine, cli, python, live };
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in suites));
if (unknown.length > 0) {
  console.error(`no suite is called ${unknown.join(", ")}: there are ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}
const counts: Counts[] = [];
for (const [name, suite] of Object.entries(suites)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n== ${name}`);
  const started = performance.now();
  const count = await suite().catch((error: unknown): Counts => {
    console.error(error instanceof Error ? error.message : error);
    return { passed: 0, failed: 1 };
  });
  console.log(
    `${name}: ${count.passed} passed, ${count.failed} failed in ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  counts.push(count);
}
const { passed, failed } = sum(counts);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
