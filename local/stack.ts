import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath, projectRoot } from "../src/paths.ts";
import { readProject, readSettings, setConfig } from "./engine/project.ts";
import { keyring } from "./engine/secrets.ts";

/** A stack whose files are in the cache folder, so that a demo or a test never touches the project's own. */
export interface Stack {
  readonly name: string;
  /** Its settings, in the form of `Pulumi.<stack>.yaml`. */
  readonly configFile: string;
  /** The embedded engine's states; `{stack}` in it stands for a stack's name. */
  readonly stateFile: string;
  /** Folder of the Pulumi CLI's states. */
  readonly backend: string;
  /** What a command of this stack needs in its environment: where the passphrase is. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where the stacks have their folders. */
export const stacksFolder = cachePath("stacks");

/** @returns The folder of a stack's files. */
export function stackFolder(name: string): string {
  return join(stacksFolder, name);
}

function writeOnce(path: string, content: () => string): void {
  if (!existsSync(path)) writeFileSync(path, content(), { mode: 0o600 });
}

/**
 * Opens a stack, made from `Pulumi.dev.yaml` at first, with a passphrase and a database password of its own.
 *
 * @param values Settings to change, without the project's prefix; `undefined` leaves one as it is.
 * @param beside Stack that this one shares passphrase and backend with, so that each can be referred to by the other.
 */
export async function openLocalStack(
  name: string,
  values: Readonly<Record<string, string | undefined>>,
  beside: string = name,
): Promise<Stack> {
  const [folder, shared] = [stackFolder(name), stackFolder(beside)];
  for (const each of [folder, shared]) mkdirSync(each, { recursive: true, mode: 0o700 });
  const [configFile, passphraseFile] = [join(folder, `Pulumi.${name}.yaml`), join(shared, "passphrase")];
  // The Pulumi CLI makes a stack only for a project's folder, and writes into the settings that lie there.
  copyFileSync(join(projectRoot, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  const isNew = !existsSync(configFile);
  if (isNew) copyFileSync(join(projectRoot, "Pulumi.dev.yaml"), configFile);
  writeOnce(passphraseFile, () => randomBytes(24).toString("base64url"));
  // The passphrase of the user's own stacks, which goes before a file, is not this one's.
  const environment = { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile };
  const open = keyring(environment);
  const project = readProject(projectRoot);
  const { config } = await readSettings(project, configFile, open);
  for (const [key, value] of Object.entries(values)) {
    const fullKey = `unity:${key}`;
    if (value !== undefined && config[fullKey] !== value)
      await setConfig(project, configFile, key, value, project.schema[fullKey]?.secret ?? false, open);
  }
  if (!(values.databasePassword ?? config["unity:databasePassword"])) {
    await setConfig(project, configFile, "databasePassword", randomBytes(18).toString("base64url"), true, open);
  }
  return {
    name,
    configFile,
    stateFile: join(stackFolder("{stack}"), "state.json"),
    backend: join(shared, "backend"),
    environment,
  };
}
