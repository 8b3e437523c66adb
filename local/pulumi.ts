import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileCache, projectRoot } from "../src/paths.ts";
import type { Stack } from "./stack.ts";

/** What both engines are asked for. */
export type Verb = "preview" | "up" | "refresh" | "destroy";

/** How an engine's run ended. */
export interface Run {
  readonly exitCode: number;
  /** Standard output and standard error, as they came. Empty if they were shown instead. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
}

/** What runs the program: the Pulumi CLI, or the embedded engine where it isn't there. */
export interface Engine {
  readonly name: string;
  /**
   * Runs `verb` without a question. `show` passes its output on as it comes, else it is returned. `stop` sends the
   * signal that it is aborted with.
   */
  run(verb: Verb, flags?: readonly string[], show?: boolean, stop?: AbortSignal): Promise<Run>;
  /** Gives up the lock that a run has left which was killed, as its operator would. */
  unlock(): Promise<void>;
  /** The stack's outputs; secrets are masked. */
  outputs(): Promise<Record<string, unknown>>;
}

/** Where a command runs. */
interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Runs a command to its end, its output shown or collected. */
async function execute(
  command: readonly string[],
  { env, cwd }: Place,
  show: boolean,
  stop?: AbortSignal,
): Promise<Run> {
  const [program = "", ...arguments_] = command;
  const stream = show ? "inherit" : "pipe";
  const child = spawn(program, arguments_, { env, cwd, stdio: ["ignore", stream, stream] });
  stop?.addEventListener("abort", () => child.kill(stop.reason as NodeJS.Signals), { once: true });
  let [output, stdout] = ["", ""];
  for (const part of [child.stdout, child.stderr]) {
    part?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (part === child.stdout) stdout += text;
    });
  }
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { exitCode: code ?? 128, output: signal ? `${output}\nended by ${signal}\n` : output, stdout };
}

async function jsonOf(command: readonly string[], place: Place): Promise<Record<string, unknown>> {
  const { exitCode, output, stdout } = await execute(command, place, false);
  if (exitCode !== 0) throw new Error(output.trim());
  return JSON.parse(stdout) as Record<string, unknown>;
}

function embeddedEngine(stack: Stack, { env, cwd }: Place): Engine {
  const place = { cwd, env: { NODE_COMPILE_CACHE: compileCache, ...env } };
  const program = [process.execPath, join(projectRoot, "local", "engine", "main.ts")];
  const of = ["--stack", stack.name, "--config-file", stack.configFile];
  return {
    name: "the embedded engine",
    run: (verb, flags = [], show = false, stop?: AbortSignal) =>
      execute([...program, verb, ...of, ...flags], place, show, stop),
    unlock: async () => {}, // by itself: the lock names the process that has it
    outputs: () => jsonOf([...program, "stack-output", ...of, "--json"], place),
  };
}

function pulumiCli(stack: Stack, { env, cwd }: Place): Engine {
  mkdirSync(stack.backend, { recursive: true });
  const own = { cwd, env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" } };
  const of = ["--stack", stack.name, "--config-file", stack.configFile];
  const folder = ["--cwd", dirname(stack.configFile), "--non-interactive"];
  const select = async () => {
    const { exitCode, output } = await execute(
      ["pulumi", "stack", "select", "--create", stack.name, ...folder],
      own,
      false,
    );
    if (exitCode !== 0) throw new Error(output.trim());
  };
  return {
    name: "the Pulumi CLI",
    async run(verb, flags = [], show = false, stop?: AbortSignal) {
      await select();
      const unasked = verb === "preview" ? [] : ["--yes", ...(verb === "refresh" ? [] : ["--skip-preview"])];
      return execute(["pulumi", verb, ...of, "--non-interactive", ...unasked, ...flags], own, show, stop);
    },
    async unlock() {
      const { exitCode, output } = await execute(["pulumi", "cancel", stack.name, "--yes", ...folder], own, false);
      if (exitCode !== 0) throw new Error(output.trim());
    },
    outputs: () => jsonOf(["pulumi", "stack", "output", "--json", "--stack", stack.name], own),
  };
}

/** @returns The environment in which either engine finds a stack, and those beside it. */
export function statesOf({ backend, stateFile }: Stack): Record<string, string> {
  return { PULUMI_BACKEND_URL: `file://${backend}`, UNITY_ENGINE_STATE: stateFile };
}

/** @returns The Pulumi CLI with a file backend if it is on PATH, else the embedded engine, for the program in `cwd`. */
export function engineFor(stack: Stack, environment: NodeJS.ProcessEnv, cwd: string = projectRoot): Engine {
  const env = { ...environment, ...statesOf(stack), ...stack.environment };
  const hasCli = spawnSync("pulumi", ["version"], { env, stdio: "ignore" }).status === 0;
  return hasCli ? pulumiCli(stack, { env, cwd }) : embeddedEngine(stack, { env, cwd });
}
