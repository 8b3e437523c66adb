import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CommandError } from "./command-error.ts";

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
