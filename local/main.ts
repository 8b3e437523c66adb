// Commands of the Makefile.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeOrCheck } from "../src/cli/generated-files.ts";
import { pythonEnvironment } from "../src/cli/python-environment.ts";
import { cacheRoot, compileCache, projectRoot } from "../src/paths.ts";
import { stopCluster } from "./cluster/stop.ts";
import { demo, removeDemo } from "./demo.ts";

const backend = join(projectRoot, "backend");

/** Runs a command, shows its output, and returns whether it succeeded. */
function passes(command: readonly string[], cwd: string): boolean {
  console.log(`\n== ${command.join(" ")}`);
  const [program = "", ...arguments_] = command;
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache }; // tsc's default is the folder for temporary files.
  return spawnSync(program, arguments_, { cwd, env, stdio: "inherit" }).status === 0;
}

/** Checks types, lint, import rules, unused code, and banned words. Runs all checks even if one fails. */
async function check(): Promise<number> {
  const report = (line: string) => console.error(line);
  const python = await pythonEnvironment({ requirements: join(backend, "requirements-dev.txt"), report });
  const ruff = [python, "-m", "ruff"];
  const results = [
    passes(["tsc", "--noEmit"], projectRoot),
    passes(["tsc", "--noEmit", "--project", "tests/browser"], projectRoot), // With the browser's types.
    passes(["biome", "check", "--error-on-warnings", "."], projectRoot),
    passes(["npm", "run", "--silent", "rooms"], projectRoot),
    passes(["knip"], projectRoot),
    passes([process.execPath, "local/language.ts"], projectRoot),
    passes([...ruff, "check", "."], projectRoot),
    passes([...ruff, "format", "--check", "."], projectRoot),
    passes([python, "-m", "mypy"], backend),
  ];
  return results.every(Boolean) ? 0 : 1;
}

const commands: Readonly<Record<string, () => Promise<number>>> = {
  demo: () => demo(process.env),
  "demo-down": async () => {
    await stopCluster();
    return 0;
  },
  "demo-remove": () => removeDemo(process.env),
  check,
  reference: async () => {
    const { referenceCommand, referenceFiles } = await import("./reference/files.ts");
    const { text, exitCode } = writeOrCheck(referenceFiles(), { output: projectRoot }, referenceCommand);
    console.log(text);
    return exitCode;
  },
  clean: async () => {
    await stopCluster();
    rmSync(cacheRoot, { recursive: true, force: true });
    return 0;
  },
};

const command = commands[process.argv[2] ?? ""];
try {
  if (command === undefined)
    throw new Error(`unknown command\nUsage: node local/main.ts ${Object.keys(commands).join("|")}`);
  process.exitCode = await command();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
