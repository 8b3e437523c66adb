import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { cachePath } from "../../paths.ts";
import { type Project, readProject, readSettings, type Settings } from "./project.ts";
import { ConfigError, keyring } from "./secrets.ts";
import type { State } from "./state.ts";
import { StateFile } from "./state-file.ts";
import type { Properties } from "./values.ts";

/** Which stack of which project, and where its files are. */
export interface StackOptions {
  /** The folder of `Pulumi.yaml`. @default the current folder */
  readonly cwd?: string;
  /** @default "dev" */
  readonly stack?: string;
  /** @default `Pulumi.<stack>.yaml` beside `Pulumi.yaml` */
  readonly configFile?: string;
  /** @default `engine/<project>-<stack>.json` in the cache folder */
  readonly stateFile?: string;
}

export interface Stack {
  readonly project: Project;
  readonly name: string;
  /** Being read: a fifth of a second where there are secrets. */
  readonly settings: Promise<Settings>;
  readonly settingsFile: string;
  readonly file: StateFile;
}

/** The type of the resource that stands for the stack; its outputs are the stack's. */
export const stackType = "pulumi:pulumi:Stack";

/** @returns The stack's outputs as the state has them, secrets wrapped. */
export function outputsOf(state: State): Properties {
  return state.resources.find(({ type }) => type === stackType)?.outputs ?? {};
}

/** Finds a stack's files and begins to read its settings; throws {@link ConfigError}. */
export function openStack(options: StackOptions): Stack {
  const project = readProject(resolve(options.cwd ?? "."));
  const name = options.stack ?? "dev";
  if (options.configFile !== undefined && !existsSync(options.configFile))
    throw new ConfigError(`the settings file ${options.configFile} does not exist`);
  const settingsFile = options.configFile ?? join(project.folder, `Pulumi.${name}.yaml`);
  const open = keyring();
  const settings = readSettings(project, settingsFile, open);
  settings.catch(() => {}); // Whoever awaits them gets the error.
  const path = options.stateFile ?? cachePath("engine", `${project.name}-${name}.json`);
  return { project, name, settings, settingsFile, file: new StateFile(path, open) };
}
