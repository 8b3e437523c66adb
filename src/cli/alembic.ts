import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { pythonEnvironment } from "./python-environment.ts";
import { CommandError } from "./result.ts";

/** What to run. */
interface AlembicScript {
  /** Path of the Python script: it prints one JSON document, or fails with a reason as the last line of its errors. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Folder that holds `alembic.ini`, where the script runs. */
  readonly backendFolder: string;
  /** Interpreter that has Alembic. */
  readonly python: string;
  /** @returns What to tell the user when it fails for a reason of the project's. */
  readonly explain: (reason: string) => string;
}

/**
 * Runs a script that works with Alembic in the backend's own Python environment.
 *
 * @returns The document that it printed.
 * @throws {CommandError} If there is no `alembic.ini` or no Alembic, or the script fails.
 */
export async function runAlembicScript<T>(given: AlembicScript): Promise<T> {
  const { script, args = [], backendFolder, python, explain } = given;
  if (!existsSync(join(backendFolder, "alembic.ini"))) {
    throw new CommandError(
      `There is no alembic.ini in ${backendFolder}: name the folder that holds it with --backend <folder>.`,
    );
  }
  const child = spawn(python, ["-B", script, ...args], {
    cwd: backendFolder,
    stdio: ["ignore", "pipe", "pipe"],
    // The same order of sets in each run; the script's folder on the path, whatever the user's settings say.
    env: { ...process.env, PYTHONHASHSEED: "0", PYTHONUTF8: "1", PYTHONSAFEPATH: undefined },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => reject(new CommandError(`${python} does not run: ${error.message}`)));
    child.on("close", resolve);
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return JSON.parse(output) as T;
  const reason = errors.trim().split("\n").at(-1) ?? "";
  if (reason.includes("No module named 'alembic'")) {
    throw new CommandError(`${python} has no Alembic: add alembic to ${join(backendFolder, "requirements.txt")}.`);
  }
  throw new CommandError(explain(reason));
}

/** Options that say where the Alembic project is, and which Python has what it needs. */
export interface BackendOptions {
  readonly backend: string;
  readonly python?: string;
}

/** Adds the options of {@link BackendOptions}. */
export function addBackendOptions(command: Command): Command {
  return command
    .option("--backend <folder>", "folder that holds alembic.ini", "backend")
    .option("--python <interpreter>", "interpreter that has what requirements.txt says, instead of one of our own");
}

/**
 * @param print Takes lines of progress.
 * @returns The interpreter to use: the one that is named, else that of the project's own environment, made at first.
 * @throws {CommandError} If the environment can't be made.
 */
export async function backendPython(
  { python, backend }: BackendOptions,
  print: (line: string) => void,
): Promise<string> {
  if (python !== undefined) return python.includes("/") ? resolve(python) : python;
  return pythonEnvironment({ requirements: resolve(backend, "requirements.txt"), report: print });
}

/** @returns Those options that were given, as the next command needs them too. */
export function givenBackendOptions({ backend, python }: BackendOptions): string[] {
  return [
    ...(backend === "backend" ? [] : ["--backend", backend]),
    ...(python === undefined ? [] : ["--python", python]),
  ];
}
