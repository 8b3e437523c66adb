import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, delimiter, isAbsolute, join, posix, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { singleLine } from "../lockfile/describe.ts";
import { type LockedAlembic, plainAlembic } from "../lockfile/lock.ts";
import { projectRoot } from "../paths.ts";
import { printable } from "../printable.ts";
import { quote } from "../shell.ts";
import { pythonEnvironment } from "./python-environment.ts";
import { CommandError } from "./result.ts";

/** Options that select the Alembic project and its Python interpreter. */
export interface BackendOptions {
  readonly backend: string;
  readonly python?: string;
  readonly config?: readonly string[];
  readonly x?: readonly string[];
  readonly flaskApp?: string;
  readonly forget?: boolean;
}

/** Adds the options of {@link BackendOptions}. */
export function addBackendOptions(command: Command): Command {
  return command
    .option("--backend <folder>", "folder of the app, with requirements.txt and the lockfile", "backend")
    .option(
      "--python <interpreter>",
      "interpreter with the packages of requirements.txt; default: a managed environment",
    )
    .option(
      "--config <file>",
      "Alembic's configuration, relative to that folder; repeatable, for pyproject.toml and an INI file; default: that of the lockfile",
      collect,
    )
    .option("-x <argument>", "argument of alembic -x; repeatable; default: those of the lockfile", collect)
    .option("--flask-app <app>", "application of Flask-Migrate, as for flask --app; default: that of the lockfile")
    .option("--forget", "use no --config, -x, and --flask-app of the lockfile");
}

/** Appends the value of a repeatable option. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/**
 * Returns how Alembic is called: as the options say, and for those that are not given, as the lockfile does.
 *
 * @throws {CommandError} If a value can't be recorded, or if `--config` names two files of one kind.
 */
export function alembicCall(options: BackendOptions, recorded: LockedAlembic): LockedAlembic {
  const base = options.forget ? plainAlembic : recorded;
  const { config = base.config, x = base.x, flaskApp = base.flaskApp } = options;
  const isToml = (file: string) => basename(file) === "pyproject.toml";
  if (config.filter(isToml).length > 1 || config.filter((file) => !isToml(file)).length > 1)
    throw new CommandError(
      `invalid --config ${config.join(", ")}: at most one pyproject.toml and one other file are allowed`,
    );
  const invalid = [...config, ...x, flaskApp ?? "app"].filter(
    (value) => value === "" || printable(singleLine(value)) !== value,
  );
  if (invalid.length > 0)
    throw new CommandError(
      `invalid value ${JSON.stringify(invalid[0])} of --config, -x, or --flask-app: must be one line of printable text, not empty`,
    );
  const absolute = config.filter((file) => isAbsolute(file));
  if (absolute.length > 0)
    throw new CommandError(
      `invalid --config ${absolute.join(", ")}: must be relative to ${options.backend}, as in the image`,
    );
  return { config, x, flaskApp };
}

/** Returns the command of Alembic itself that applies the chain. */
export function alembicCommand({ config, x, flaskApp }: LockedAlembic): string {
  const args = x.flatMap((argument) => ["-x", quote(argument)]);
  if (flaskApp === null)
    return ["alembic", ...config.flatMap((file) => ["-c", quote(file)]), ...args, "upgrade", "head"].join(" ");
  const [file] = config;
  const directory = file === undefined ? [] : ["--directory", quote(posix.dirname(file))];
  return ["flask", "--app", quote(flaskApp), "db", "upgrade", ...directory, ...args].join(" ");
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
export function backendArgs({ backend, python, config = [], x = [], flaskApp, forget }: BackendOptions): string[] {
  const args: string[] = [];
  if (backend !== "backend") args.push("--backend", backend);
  if (python !== undefined) args.push("--python", python);
  if (forget) args.push("--forget");
  args.push(...config.flatMap((file) => ["--config", file]), ...x.flatMap((argument) => ["-x", argument]));
  if (flaskApp !== undefined) args.push("--flask-app", flaskApp);
  return args;
}

interface AlembicScript {
  /** Path of a Python script that prints one JSON document, or, with exit code 3, the reason of a failure. */
  readonly script: string;
  /** Arguments after the JSON of `alembic`. */
  readonly args?: readonly string[];
  /** Folder of the app, in which the script runs. */
  readonly backendFolder: string;
  /** Interpreter with Alembic. */
  readonly python: string;
  readonly alembic: LockedAlembic;
  /** Returns the error message for a reason that the script prints. */
  readonly explain: (reason: string) => string;
  /**
   * Changes of the environment.
   *
   * @defaultValue none
   */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Receives the documents before the last one, of a script that prints one a line.
   *
   * @defaultValue the script prints one document
   */
  readonly onDocument?: (document: unknown) => void;
}

/** Folder of `runner_config.py`, which reads Alembic's configuration for the scripts as it does in the image. */
const runnerFolder = join(projectRoot, "src", "runner");

/**
 * Runs a script that uses Alembic in the backend's Python environment.
 *
 * @returns The document that the script printed.
 * @throws {CommandError} If Alembic or its configuration is missing, or the script fails.
 */
export async function runAlembicScript<T>(given: AlembicScript): Promise<T> {
  const { script, args = [], backendFolder, python, alembic, explain, onDocument } = given;
  requireConfiguration(backendFolder, alembic);
  const { PYTHONPATH } = process.env;
  const child = spawn(python, ["-B", script, JSON.stringify(alembic), ...args], {
    cwd: backendFolder,
    stdio: ["ignore", "pipe", "pipe"],
    // Sets have the same order in each run, and the script's folder is on the path, whatever the user's environment.
    env: {
      ...process.env,
      PYTHONHASHSEED: "0",
      PYTHONUTF8: "1",
      PYTHONSAFEPATH: undefined,
      PYTHONPATH: PYTHONPATH ? `${runnerFolder}${delimiter}${PYTHONPATH}` : runnerFolder,
      ...given.env,
    },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => reject(new CommandError(`can't run ${python}: ${error.message}`)));
    child.on("close", resolve);
  });
  const document = onDocument === undefined ? text(child.stdout) : lastLine(child.stdout, onDocument);
  const [output, errors, code] = await Promise.all([document, text(child.stderr), ended]);
  if (code === 0) return JSON.parse(output) as T;
  if (code === 3) throw new CommandError(explain(output.trim()));
  const reason = errors.trim().split("\n").at(-1) ?? "";
  if (reason.includes("No module named 'alembic'")) {
    const requirements = join(backendFolder, "requirements.txt");
    throw new CommandError(`Alembic is not installed for ${python}\nAdd alembic to ${requirements}.`);
  }
  throw new CommandError(explain(reason));
}

/** Returns the text after the documents, each of which is one line. */
async function lastLine(output: Readable, onDocument: (document: unknown) => void): Promise<string> {
  let rest: string | undefined;
  for await (const line of createInterface({ input: output })) {
    if (rest?.startsWith("{")) onDocument(JSON.parse(rest));
    rest = rest === undefined || rest.startsWith("{") ? line : `${rest}\n${line}`;
  }
  return rest ?? "";
}

/** @throws {CommandError} If a file of `--config` is missing, or if no file configures Alembic. */
function requireConfiguration(backendFolder: string, { config, flaskApp }: LockedAlembic): void {
  const exists = (file: string) => existsSync(join(backendFolder, file));
  const missing = config.filter((file) => !exists(file));
  if (missing.length > 0)
    throw new CommandError(
      `${missing.join(", ")} not found in ${backendFolder}\nPass paths relative to that folder: --config <file>`,
    );
  if (config.length > 0 || flaskApp !== null || exists("alembic.ini") || exists("pyproject.toml")) return;
  throw new CommandError(
    `no alembic.ini or pyproject.toml in ${backendFolder}\nPass the folder that contains it: --backend <folder>; or its ` +
      "path in that folder: --config <file>; or, for Flask-Migrate, the application: --flask-app <app>",
  );
}
