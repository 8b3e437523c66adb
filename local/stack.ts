import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cachePath, projectRoot } from "../src/paths.ts";
import { readProject, readSettings, setConfig } from "./engine/project.ts";
import { keyring } from "./engine/secrets.ts";

/** A stack whose files are in the cache folder, so that demos and tests don't change the project's stacks. */
export interface Stack {
  readonly name: string;
  /** Path of its `Pulumi.<stack>.yaml`. */
  readonly configFile: string;
  /** Path of the embedded engine's state files, with `{stack}` in place of a stack's name. */
  readonly stateFile: string;
  /** Folder of the Pulumi CLI's state files. */
  readonly backend: string;
  /** Environment variables that select the passphrase. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Parent folder of the stacks' folders. */
export const stacksFolder = cachePath("stacks");

/** Returns the folder of a stack's files. */
export function stackFolder(name: string): string {
  return join(stacksFolder, name);
}

function randomPassword(): string {
  return randomBytes(24).toString("base64url");
}

/**
 * Opens a stack. Creates it from `Pulumi.dev.yaml`, with a new passphrase and database password, if it does not exist.
 *
 * @param values - Settings to change, without the project's prefix; `undefined` keeps the current value.
 * @param beside - Stack to share passphrase and backend with, so that the stacks can refer to each other.
 */
export async function openLocalStack(
  name: string,
  values: Readonly<Record<string, string | undefined>>,
  beside: string = name,
): Promise<Stack> {
  const folder = stackFolder(name);
  const shared = stackFolder(beside);
  for (const path of [folder, shared]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const configFile = join(folder, `Pulumi.${name}.yaml`);
  const passphraseFile = join(shared, "passphrase");
  // The Pulumi CLI creates a stack only in a project's folder, and writes to the settings in that folder.
  copyFileSync(join(projectRoot, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  if (!existsSync(configFile)) copyFileSync(join(projectRoot, "Pulumi.dev.yaml"), configFile);
  if (!existsSync(passphraseFile)) writeFileSync(passphraseFile, randomPassword(), { mode: 0o600 });
  // The variable would take precedence over the file, and may contain the passphrase of the user's stacks.
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
    await setConfig(project, configFile, "databasePassword", randomPassword(), true, open);
  }
  return {
    name,
    configFile,
    stateFile: join(stackFolder("{stack}"), "state.json"),
    backend: join(shared, "backend"),
    environment,
  };
}
