import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pythonEnvironment } from "../../src/cli/python-environment.ts";
import { projectRoot } from "../../src/paths.ts";
import { endWithTests } from "../support/children.ts";
import { type FakeAnswers, fakeKubectl } from "../support/fake-kubectl.ts";

/** Output and exit code of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `unity` with `args` in a process of its own, from the project's folder. */
export function unity(...args: readonly string[]): Promise<CommandResult> {
  return unityIn({}, ...args);
}

/** Runs `unity` with changes of the environment. */
export function unityIn(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<CommandResult> {
  return runCommand(process.execPath, [join(projectRoot, "src", "cli", "main.ts"), ...args], environment);
}

/** Runs `unity` with a kubectl that gives these answers. */
export async function unityWith(answers: Partial<FakeAnswers>, ...args: readonly string[]): Promise<CommandResult> {
  using fake = fakeKubectl(answers);
  return await unityIn(fake.environment, ...args);
}

/** A text to type on a terminal, and what the terminal must show before the next one. */
export type Step = readonly [text: string, shown: string];

/** Variables that disable colors, in a user's environment or in CI's. */
const colorVariables = ["CI", "NO_COLOR", "FORCE_COLOR", "NODE_DISABLE_COLORS"];
const colorEnvironment = Object.fromEntries(colorVariables.map((name) => [name, undefined]));

/**
 * Runs a command on a terminal of its own, which has colors.
 *
 * @returns All that it showed, as `stdout`.
 */
export function onTerminal(
  command: readonly string[],
  steps: readonly Step[],
  environment: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const script = join(projectRoot, "tests", "cli", "terminal.py");
  return runCommand("python3", [script, JSON.stringify({ command, steps })], {
    ...colorEnvironment,
    TERM: "xterm",
    ...environment,
  });
}

/** Runs a command. */
export async function runCommand(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd: string = projectRoot,
): Promise<CommandResult> {
  const child = endWithTests(spawn(command, args, { cwd, env: { ...process.env, ...environment } }));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Returns the interpreter of the backend's own environment, which is created at the first use. */
export function alembicPython(): Promise<string> {
  const requirements = join(projectRoot, "backend", "requirements.txt");
  return pythonEnvironment({ requirements, report: (line) => process.stderr.write(`${line}\n`) });
}
