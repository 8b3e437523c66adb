import { resolve } from "node:path";
import type { Command } from "commander";
import { pythonEnvironment } from "./python-environment.ts";

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
