import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { cachePath } from "../paths.ts";
import { type Project, readProject, readSettings, type Settings } from "./project.ts";
import { ConfigError, type Crypter, openCrypter, passphrase } from "./secrets.ts";
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
  readonly settings: Settings;
  readonly settingsFile: string;
  readonly file: StateFile;
}

/** The type of the resource that stands for the stack; its outputs are the stack's. */
export const stackType = "pulumi:pulumi:Stack";

/** @returns The stack's outputs as the state has them, secrets wrapped. */
export function outputsOf(state: State): Properties {
  return state.resources.find(({ type }) => type === stackType)?.outputs ?? {};
}

/** Reads a stack's settings and finds its state file; throws {@link ConfigError}. */
export async function openStack(options: StackOptions): Promise<Stack> {
  const project = readProject(resolve(options.cwd ?? "."));
  const name = options.stack ?? "dev";
  if (options.configFile !== undefined && !existsSync(options.configFile))
    throw new ConfigError(`the settings file ${options.configFile} does not exist`);
  const settingsFile = options.configFile ?? join(project.folder, `Pulumi.${name}.yaml`);
  const settings = await readSettings(project, settingsFile);
  const opened = new Map<string | undefined, Promise<Crypter>>();
  const crypter = async (salt = settings.salt): Promise<Crypter> => {
    if (settings.crypter !== undefined && salt === settings.salt) return settings.crypter;
    const known = opened.get(salt) ?? openCrypter(passphrase(), salt);
    opened.set(salt, known);
    return known;
  };
  const file = new StateFile(options.stateFile ?? cachePath("engine", `${project.name}-${name}.json`), crypter);
  return { project, name, settings, settingsFile, file };
}
