import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileCache, projectRoot } from "../src/paths.ts";
import type { Stack } from "./stack.ts";

/** A command of both engines. */
export type Verb = "preview" | "up" | "destroy";

/** The result of an engine's run. */
export interface Run {
  readonly exitCode: number;
  /** Standard output and standard error, interleaved. Empty if they were shown instead. */
  readonly output: string;
  /** Standard output only. */
  readonly stdout: string;
}

/** The Pulumi CLI, or the embedded engine on machines without it. */
export interface Engine {
  readonly name: string;
  /**
   * Runs a command without prompts.
   *
   * @param show - Whether to show the output instead of returning it.
   * @param stop - Sends the signal that is its abort reason.
   */
  run(verb: Verb, flags?: readonly string[], show?: boolean, stop?: AbortSignal): Promise<Run>;
  /** Releases the lock of a run that was killed. */
  unlock(): Promise<void>;
  /** Returns the stack's outputs, with secrets masked. */
  outputs(): Promise<Record<string, unknown>>;
}

/** Environment and working directory of a command. */
interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Words before the command: a program that runs it. */
  readonly prefix?: readonly string[];
}

/** Runs a command to its end, and shows or collects its output. */
async function execute(
  command: readonly string[],
  { env, cwd, prefix = [] }: Place,
  show: boolean,
  stop?: AbortSignal,
): Promise<Run> {
  const [program = "", ...arguments_] = [...prefix, ...command];
  const stream = show ? "inherit" : "pipe";
  const child = spawn(program, arguments_, { env, cwd, stdio: ["ignore", stream, stream] });
  stop?.addEventListener("abort", () => child.kill(stop.reason as NodeJS.Signals), { once: true });
  // This process must not end before the engine. A terminal sends SIGINT to both.
  const ignore = () => {};
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", ignore).on("SIGTERM", forward);
  let output = "";
  let stdout = "";
  for (const part of [child.stdout, child.stderr]) {
    part?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (part === child.stdout) stdout += text;
    });
  }
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (signal !== null) output += `\nended by ${signal}\n`;
    return { exitCode: code ?? 128, output, stdout };
  } finally {
    process.off("SIGINT", ignore).off("SIGTERM", forward);
  }
}

async function jsonOf(command: readonly string[], place: Place): Promise<Record<string, unknown>> {
  const { exitCode, output, stdout } = await execute(command, place, false);
  if (exitCode !== 0) throw new Error(output.trim());
  return JSON.parse(stdout) as Record<string, unknown>;
}

function embeddedEngine(stack: Stack, { env, ...others }: Place): Engine {
  const place = { ...others, env: { NODE_COMPILE_CACHE: compileCache, ...env } };
  const program = [process.execPath, join(projectRoot, "local", "engine", "main.ts")];
  const stackFlags = ["--stack", stack.name, "--config-file", stack.configFile];
  return {
    name: "the embedded engine",
    run: (verb, flags = [], show = false, stop?: AbortSignal) =>
      execute([...program, verb, ...stackFlags, ...flags], place, show, stop),
    unlock: async () => {}, // Not needed: the lock names its process.
    outputs: () => jsonOf([...program, "stack-output", ...stackFlags, "--json"], place),
  };
}

function pulumiCli(stack: Stack, { env, ...others }: Place): Engine {
  mkdirSync(stack.backend, { recursive: true });
  const place = { ...others, env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" } };
  const stackFlags = ["--stack", stack.name, "--config-file", stack.configFile];
  const folder = ["--cwd", dirname(stack.configFile), "--non-interactive"];
  const manage = async (...args: string[]) => {
    const { exitCode, output } = await execute(["pulumi", ...args, ...folder], place, false);
    if (exitCode !== 0) throw new Error(output.trim());
  };
  return {
    name: "the Pulumi CLI",
    async run(verb, flags = [], show = false, stop?: AbortSignal) {
      await manage("stack", "select", "--create", stack.name);
      const command = ["pulumi", verb, ...stackFlags, "--non-interactive"];
      if (verb !== "preview") command.push("--yes", "--skip-preview");
      return execute([...command, ...flags], place, show, stop);
    },
    unlock: () => manage("cancel", stack.name, "--yes"),
    outputs: () => jsonOf(["pulumi", "stack", "output", "--json", "--stack", stack.name], place),
  };
}

/** Returns the environment variables with which both engines find a stack and those that share its backend. */
export function statesOf({ backend, stateFile }: Stack): Record<string, string> {
  return { PULUMI_BACKEND_URL: `file://${backend}`, UNITY_ENGINE_STATE: stateFile };
}

/**
 * Returns the Pulumi CLI with a file backend if it is on PATH, otherwise the embedded engine. Runs the program in `cwd`.
 *
 * @param prefix - Words before each command: a program that runs it.
 */
export function engineFor(
  stack: Stack,
  environment: NodeJS.ProcessEnv,
  cwd: string = projectRoot,
  prefix: readonly string[] = [],
): Engine {
  const env = { ...environment, ...statesOf(stack), ...stack.environment };
  const hasCli = spawnSync("pulumi", ["version"], { env, stdio: "ignore" }).status === 0;
  const place = { env, cwd, prefix };
  return hasCli ? pulumiCli(stack, place) : embeddedEngine(stack, place);
}
