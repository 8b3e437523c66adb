import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { pythonEnvironment } from "./python-environment.ts";
import { CommandError } from "./result.ts";

/** Options that select the Alembic project and its Python interpreter. */
export interface BackendOptions {
  readonly backend: string;
  readonly python?: string;
}

/** Adds the options of {@link BackendOptions}. */
export function addBackendOptions(command: Command): Command {
  return command
    .option("--backend <folder>", "folder with alembic.ini", "backend")
    .option(
      "--python <interpreter>",
      "interpreter with the packages of requirements.txt; default: a managed environment",
    );
}

/**
 * Returns the interpreter of the options, or that of the project's managed environment, which it creates first.
 *
 * @param print - Prints a line of progress.
 * @throws {CommandError} If the environment can't be created.
 */
export async function backendPython(
  { python, backend }: BackendOptions,
  print: (line: string) => void,
): Promise<string> {
  if (python === undefined)
    return pythonEnvironment({ requirements: resolve(backend, "requirements.txt"), report: print });
  return python.includes("/") ? resolve(python) : python;
}

/** Returns the given options as arguments for the next command. */
export function backendArgs({ backend, python }: BackendOptions): string[] {
  const args: string[] = [];
  if (backend !== "backend") args.push("--backend", backend);
  if (python !== undefined) args.push("--python", python);
  return args;
}

interface AlembicScript {
  /** Path of a Python script that prints one JSON document, or the reason of a failure as its last line on standard error. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Folder with `alembic.ini`, in which the script runs. */
  readonly backendFolder: string;
  /** Interpreter with Alembic. */
  readonly python: string;
  /** Returns the error message for a reason that the script prints. */
  readonly explain: (reason: string) => string;
}

/**
 * Runs a script that uses Alembic in the backend's Python environment.
 *
 * @returns The document that the script printed.
 * @throws {CommandError} If `alembic.ini` or Alembic is missing, or the script fails.
 */
export async function runAlembicScript<T>(given: AlembicScript): Promise<T> {
  const { script, args = [], backendFolder, python, explain } = given;
  if (!existsSync(join(backendFolder, "alembic.ini")))
    throw new CommandError(`no alembic.ini in ${backendFolder}\nPass the folder that contains it: --backend <folder>`);
  const child = spawn(python, ["-B", script, ...args], {
    cwd: backendFolder,
    stdio: ["ignore", "pipe", "pipe"],
    // Sets have the same order in each run, and the script's folder is on the path, whatever the user's environment.
    env: { ...process.env, PYTHONHASHSEED: "0", PYTHONUTF8: "1", PYTHONSAFEPATH: undefined },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => reject(new CommandError(`can't run ${python}: ${error.message}`)));
    child.on("close", resolve);
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return JSON.parse(output) as T;
  const reason = errors.trim().split("\n").at(-1) ?? "";
  if (reason.includes("No module named 'alembic'")) {
    const requirements = join(backendFolder, "requirements.txt");
    throw new CommandError(`Alembic is not installed for ${python}\nAdd alembic to ${requirements}.`);
  }
  throw new CommandError(explain(reason));
}
