import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { cachePath } from "../../src/paths.ts";
import { type Project, readProject, readSettings, type Settings } from "./project.ts";
import { ConfigError, keyring } from "./secrets.ts";
import { StateFile } from "./state-file.ts";

/** Which stack of which project, and where its files are. */
export interface StackOptions {
  /** The folder of `Pulumi.yaml`. @default the current folder */
  readonly cwd?: string;
  /** @default "dev" */
  readonly stack?: string;
  /** @default `Pulumi.<stack>.yaml` beside `Pulumi.yaml` */
  readonly configFile?: string;
  /**
   * `{stack}` in it stands for a stack's name, so that references to others find theirs.
   *
   * @default `UNITY_ENGINE_STATE`, else `engine/<project>-{stack}.json` in the cache folder
   */
  readonly stateFile?: string;
}

export interface Stack {
  readonly project: Project;
  readonly name: string;
  /** Being read: a fifth of a second where there are secrets. */
  readonly settings: Promise<Settings>;
  readonly settingsFile: string;
  readonly file: StateFile;
  /** @returns The path of another stack's state; `undefined` if nothing says where it is. */
  stateOf(name: string): string | undefined;
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
  const template =
    options.stateFile ?? process.env.UNITY_ENGINE_STATE ?? cachePath("engine", `${project.name}-{stack}.json`);
  const stateOf = (stack: string) => template.replaceAll("{stack}", stack);
  return {
    project,
    name,
    settings,
    settingsFile,
    file: new StateFile(stateOf(name), open),
    stateOf: (other) => (template.includes("{stack}") ? stateOf(other) : undefined),
  };
}
