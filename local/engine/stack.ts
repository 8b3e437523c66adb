import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { ConfigError } from "./errors.ts";
import { type Project, readProject, readSettings, type Settings } from "./project.ts";
import { keyring } from "./secrets.ts";
import { StateFile } from "./state-file.ts";
import type { Properties } from "./values.ts";

/** Selects a stack and the place of its files. */
export interface StackOptions {
  /** @defaultValue the current folder */
  readonly cwd?: string;
  /** @defaultValue "dev" */
  readonly stack?: string;
  /** @defaultValue `Pulumi.<stack>.yaml` beside `Pulumi.yaml` */
  readonly configFile?: string;
  /**
   * Path of the state. `{stack}` is replaced by the stack's name, so that stack references find other states.
   *
   * @defaultValue `UNITY_ENGINE_STATE`, or `engine/<project>-{stack}.json` in the cache folder
   */
  readonly stateFile?: string;
}

export interface Stack {
  readonly project: Project;
  readonly name: string;
  /** Resolves while the program starts: deriving the key of encrypted settings takes a fifth of a second. */
  readonly settings: Promise<Settings>;
  readonly file: StateFile;
  /** Returns the path of another stack's state; `undefined` if the path of states has no `{stack}`. */
  stateOf(name: string): string | undefined;
}

/**
 * Finds a stack's files and starts to read its settings.
 *
 * @throws {ConfigError} If a file is missing or unsupported.
 */
export function openStack(options: StackOptions): Stack {
  const project = readProject(resolve(options.cwd ?? "."));
  const name = options.stack ?? "dev";
  if (options.configFile !== undefined && !existsSync(options.configFile))
    throw new ConfigError(`config file ${options.configFile} not found`);
  const open = keyring();
  const settings = readSettings(project, options.configFile ?? join(project.folder, `Pulumi.${name}.yaml`), open);
  settings.catch(() => {}); // Reported where the settings are awaited.
  const template =
    options.stateFile ?? process.env.UNITY_ENGINE_STATE ?? cachePath("engine", `${project.name}-{stack}.json`);
  const stateOf = (stack: string) => template.replaceAll("{stack}", stack);
  return {
    project,
    name,
    settings,
    file: new StateFile(stateOf(name), open),
    stateOf: (other) => (template.includes("{stack}") ? stateOf(other) : undefined),
  };
}

/**
 * Returns the stack's name in `<stack>`, `<project>/<stack>`, or `<organization>/<project>/<stack>`.
 *
 * @throws {ConfigError} If it names another project or organization.
 */
function stackNameOf(reference: string, project: string): string {
  const parts = reference.split("/");
  const [name = "", ofProject = project, organization = "organization", ...more] = parts.reverse();
  if (more.length > 0 || name === "" || ofProject !== project || organization !== "organization")
    throw new ConfigError(`invalid stack name "${reference}": use <stack> or organization/${project}/<stack>`);
  return name;
}

/**
 * Reads the outputs of a stack whose state lies beside `stack`'s. Needs that stack's passphrase only where its outputs
 * hold secrets.
 *
 * @param isUpdating - Whether `stack` is being updated: then it may have no state yet.
 * @returns The outputs, secrets wrapped.
 * @throws {ConfigError} If the stack is unknown.
 */
export async function readOutputs(stack: Stack, reference: string, isUpdating = false): Promise<Properties> {
  const name = stackNameOf(reference, stack.project.name);
  const isOwn = name === stack.name;
  const path = isOwn ? stack.file.path : stack.stateOf(name);
  if (path === undefined)
    throw new ConfigError(`unknown stack "${reference}": to find its state, use {stack} in the path of --state`);
  if (!existsSync(path) && isOwn && isUpdating) return {};
  if (!existsSync(path)) throw new ConfigError(`unknown stack "${reference}": ${path} not found`);
  return new StateFile(path, keyring()).outputs();
}
