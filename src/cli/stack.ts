import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { parse } from "yaml";
import type { ClusterTarget } from "../cluster/kubectl.ts";
import { projectRoot } from "../paths.ts";
import type { TargetOptions } from "../plan/live-state.ts";
import { readSettingsSchema, settingDefaults, settingText } from "../settings/schema.ts";
import type { Settings } from "../settings/settings.ts";
import { CommandError } from "./result.ts";

/** Options that say which stack is meant, and where it is deployed. */
export interface StackOptions {
  readonly stack?: string;
  readonly configFile?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** A stack's configuration, as Pulumi hands it to a program. */
export interface StackConfiguration {
  /** Values by full key, such as `unity:image`; {@link concealed} for those that are encrypted. */
  readonly values: Readonly<Record<string, string>>;
}

/** What stands for a secret, which is never decrypted here. */
export const concealed = "[secret]";

/**
 * Adds the options of {@link StackOptions}. What is named on the command line goes before what the environment names.
 *
 * @throws {CommandError} When the command runs, if the environment names a stack and a file.
 */
export function addStackOptions(command: Command): Command {
  const configFile = new Option("--config-file <file>", "the stack's configuration, wherever it is");
  return command
    .hook("preAction", () => {
      const { stack, configFile } = command.opts<StackOptions>();
      if (command.getOptionValueSource("configFile") !== "env") return;
      if (command.getOptionValueSource("stack") === "cli") command.setOptionValue("configFile", undefined);
      if (command.getOptionValueSource("stack") === "env")
        throw new CommandError(
          `Which stack? PULUMI_STACK is ${stack}, and UNITY_CONFIG_FILE is ${configFile}: unset one of them, or name a ` +
            "stack with --stack <name>, or its file with --config-file.",
        );
    })
    .addOption(
      new Option("--stack <name>", "stack whose Pulumi.<name>.yaml is read; else the only one").env("PULUMI_STACK"),
    )
    .addOption(configFile.env("UNITY_CONFIG_FILE"))
    .option("--context <name>", "context of your kubeconfig, instead of the stack's")
    .option("--namespace <name>", "namespace, instead of the stack's");
}

/** @returns A command as a person would type it again for the same stack. */
export function ofStack(command: string, { stack }: StackOptions): string {
  return stack === undefined ? command : `${command} --stack ${stack}`;
}

/**
 * Reads a stack's file in the current folder; context and namespace that are given as options hold over it.
 *
 * @throws {CommandError} If there is no such file, or several and none is named.
 */
export function readStack(options: StackOptions): StackConfiguration {
  const { context, namespace } = options;
  const file = options.configFile ?? stackFile(options);
  const config = file === undefined ? {} : readConfig(file);
  const given = { ...(context && { "unity:context": context }), ...(namespace && { "unity:namespace": namespace }) };
  const plain = Object.entries(config).map(([key, value]) => [
    key,
    holdsSecret(value) ? concealed : settingText(value),
  ]);
  const defaults = settingDefaults(readSettingsSchema(projectRoot));
  return { values: { ...defaults, ...Object.fromEntries(plain), ...given } };
}

/** @returns Where a stack is deployed, and whether it owns its database. @throws {CommandError} If no context is set. */
export function readTarget(options: StackOptions): { readonly target: ClusterTarget; readonly owned: boolean } {
  const { values } = readStack(options);
  const { "unity:context": context = "", "unity:namespace": namespace = "" } = values;
  if (context === "") {
    throw new CommandError("No context is set: name one with --context, or pulumi config set context <name>.");
  }
  return { target: { context, namespace }, owned: values["unity:database"] !== "external" };
}

/** @returns Where a stack wants its database, and what it accepts besides. */
export function readTargetOptions(options: StackOptions): TargetOptions {
  const { values } = readStack(options);
  const args = values["unity:toleratedRevisions"]?.split(",").map((id) => id.trim()) ?? [];
  return {
    toleratedRevisions: args.filter((id) => id !== ""),
    targetRevision: values["unity:targetRevision"] || undefined,
  };
}

/** Whether a value, or a part of it, is encrypted: `{secure: …}`. */
function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "secure") || Object.values(value).some(holdsSecret);
}

function readConfig(file: string): Record<string, unknown> {
  if (!existsSync(file))
    throw new CommandError(`There is no ${file}: name a stack with --stack, or its file with --config-file.`);
  try {
    const document: unknown = parse(readFileSync(file, "utf8"));
    const config: unknown = document !== null && typeof document === "object" && Reflect.get(document, "config");
    return config !== null && typeof config === "object" ? { ...config } : {};
  } catch (error) {
    throw new CommandError(`${file} is no YAML: ${error instanceof Error ? error.message : error}`);
  }
}

/** @returns The stacks' files among a folder's, each with its stack. */
export function stackFiles(names: readonly string[]): readonly { readonly file: string; readonly stack: string }[] {
  return names.flatMap((file) => {
    const [, stack] = /^Pulumi\.(.+)\.yaml$/.exec(file) ?? [];
    return stack === undefined ? [] : [{ file, stack }];
  });
}

/** @returns The stack's file; none if the context is given and no file is the only one. */
function stackFile({ stack, context }: StackOptions): string | undefined {
  if (stack !== undefined) return `Pulumi.${stack}.yaml`;
  const files = stackFiles(readdirSync("."));
  if (files.length === 1) return files[0]?.file;
  if (context !== undefined) return undefined;
  throw new CommandError(
    files.length === 0
      ? "There is no Pulumi.<stack>.yaml here: name a stack's file, wherever it is, with --config-file."
      : `Which stack? There are ${files.map(({ stack: name }) => name).join(", ")}: name one with --stack <name>, or once ` +
          "for all commands, Pulumi's too, with `export PULUMI_STACK=<name>`; or a file with --config-file.",
  );
}

/** A stack's values by full key, such as `unity:image`. */
type Values = Readonly<Record<string, string>>;

/**
 * @param adjust Changes the stack's values before they are read.
 * @returns What `use` makes of the settings that the program would get.
 * @throws {CommandError} With all that is wrong with the settings, or what the program would say.
 */
export async function withSettings<T>(
  options: StackOptions,
  use: (settings: Settings) => T | Promise<T>,
  adjust: (values: Values) => Values = (values) => values,
): Promise<T> {
  const { pulumi, loadSettings, config } = await configure(adjust(readStack(options).values));
  try {
    return await use(loadSettings(config));
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) throw new CommandError(error.message);
    throw error;
  }
}

/**
 * Reads a stack's settings for a command that makes no changes: other settings than the context may be invalid or missing.
 *
 * @throws {CommandError} If no context is set.
 */
export async function readSettings(options: StackOptions): Promise<Settings> {
  readTarget(options);
  const { parseSettings, config } = await configure(readStack(options).values);
  return parseSettings(config).settings;
}

/** Passes a stack's values to the SDK, as Pulumi does for a program. */
async function configure(values: Values) {
  const secretKeys = Object.keys(values).filter((key) => values[key] === concealed);
  // Imported here because the SDK takes longer to load than the rest of the CLI.
  const [pulumi, { loadSettings, parseSettings }] = await Promise.all([
    import("@pulumi/pulumi"),
    import("../settings/load-settings.ts"),
  ]);
  pulumi.runtime.setAllConfig({ ...values }, secretKeys);
  return { pulumi, loadSettings, parseSettings, config: new pulumi.Config("unity") };
}
