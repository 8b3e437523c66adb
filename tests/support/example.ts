import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { readProject, setConfig } from "../../local/engine/project.ts";
import { keyring } from "../../local/engine/secrets.ts";
import { type Engine, engineFor } from "../../local/pulumi.ts";
import { projectRoot } from "../../src/paths.ts";
import { installPackage } from "./package.ts";

/** Settings without the project's prefix. */
type Settings = Readonly<Record<string, unknown>>;

/** A Pulumi program that uses the project as an installed package, with a stack of its own. */
export interface Program {
  /** Folder of its `Pulumi.yaml`. */
  readonly folder: string;
  /** Opens the engine with settings changed by `values`, and by `secrets`, which are encrypted. */
  engine(values?: Settings, secrets?: Readonly<Record<string, string>>): Promise<Engine>;
  /** Opens the engine in an environment, run by the program of `prefix`. */
  engineIn(environment: NodeJS.ProcessEnv, prefix?: readonly string[]): Engine;
}

/** A copy of the examples. */
export interface Example extends Program {
  remove(): void;
}

/**
 * Copies the examples and installs the project's package beside them.
 *
 * @param name - Folder of the program in `examples`.
 */
export async function example(name: string): Promise<Example> {
  const root = mkdtempSync(join(tmpdir(), "unity-example-"));
  cpSync(join(projectRoot, "examples"), join(root, "examples"), { recursive: true });
  await installPackage(root);
  const remove = () => rmSync(root, { recursive: true });
  return { ...programIn(join(root, "examples", name), root), remove };
}

/**
 * Returns the program of a folder.
 *
 * @param root - Folder for the stack's state.
 */
export function programIn(folder: string, root: string): Program {
  const stack = {
    name: "test",
    configFile: join(folder, "Pulumi.test.yaml"),
    stateFile: join(root, "state.json"),
    backend: join(root, "states"),
    environment: { PULUMI_CONFIG_PASSPHRASE: "test", PULUMI_CONFIG_PASSPHRASE_FILE: undefined },
  };
  return {
    folder,
    async engine(values = {}, secrets = {}) {
      const project = readProject(folder);
      const before = existsSync(stack.configFile) ? parse(readFileSync(stack.configFile, "utf8")) : {};
      const changed = Object.entries(values).map(([key, value]) => [`${project.name}:${key}`, value]);
      const config = { ...before.config, ...Object.fromEntries(changed) };
      writeFileSync(stack.configFile, stringify({ ...before, config }));
      for (const [key, value] of Object.entries(secrets))
        await setConfig(project, stack.configFile, key, value, true, keyring(stack.environment));
      return engineFor(stack, process.env, folder);
    },
    engineIn: (environment, prefix) => engineFor(stack, environment, folder, prefix),
  };
}
