import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import { parse } from "yaml";
import { isInstalled } from "../command-line.ts";
import { projectRoot } from "../paths.ts";
import { readSettingsSchema, settingDefaults, settingText } from "../settings/declarations.ts";
import type { Settings } from "../settings/settings.ts";
import { CommandError } from "./result.ts";

/** Options that select a stack and override where it is deployed. */
export interface StackOptions {
  readonly stack?: string;
  readonly configFile?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** A stack's values by full key, such as `unity:image`; {@link concealed} for those that are encrypted. */
type Values = Readonly<Record<string, string>>;

/** Placeholder for a secret, which is never decrypted here. */
export const concealed = "[secret]";

/**
 * Adds the options of {@link StackOptions}. The command line takes precedence over the environment.
 *
 * @throws {CommandError} When the command runs, if the environment selects both a stack and a file.
 */
export function addStackOptions(command: Command): Command {
  const stack = new Option("--stack <name>", "stack whose Pulumi.<name>.yaml is read; default: the only stack");
  const configFile = new Option("--config-file <file>", "path of the stack's configuration file");
  return command
    .hook("preAction", () => {
      const { stack, configFile } = command.opts<StackOptions>();
      if (command.getOptionValueSource("configFile") !== "env") return;
      if (command.getOptionValueSource("stack") === "cli") command.setOptionValue("configFile", undefined);
      if (command.getOptionValueSource("stack") === "env")
        throw new CommandError(
          `PULUMI_STACK (${stack}) and UNITY_CONFIG_FILE (${configFile}) are both set\n` +
            "Unset one of them, or pass --stack <name> or --config-file <file>.",
        );
    })
    .addOption(stack.env("PULUMI_STACK"))
    .addOption(configFile.env("UNITY_CONFIG_FILE"))
    .option("--context <name>", "kubeconfig context; default: the stack's")
    .option("--namespace <name>", "namespace; default: the stack's");
}

/** Adds the options that select a namespace, for commands that read no stack. */
export function addTargetOptions(command: Command): Command {
  return command
    .option("--context <name>", "kubeconfig context; default: the current one")
    .option("--namespace <name>", "namespace of the app");
}

/** Returns a command for the stack of the options. */
export function ofStack(command: string, { stack }: StackOptions): string {
  return stack === undefined ? command : `${command} --stack ${stack}`;
}

/**
 * Reads a stack's configuration file. The context and namespace of the options override it.
 *
 * @throws {CommandError} If this is the installed package, the file doesn't exist, or several do and none is selected.
 */
export function readStack(options: StackOptions): Values {
  if (isInstalled)
    throw new CommandError("only Unity's own project has stacks for this command; for another app, run: pulumi up");
  const { context, namespace } = options;
  const file = options.configFile ?? stackFile(options);
  const config = file === undefined ? {} : readConfig(file);
  const values: Record<string, string> = { ...settingDefaults(readSettingsSchema(projectRoot)) };
  for (const [key, value] of Object.entries(config)) values[key] = holdsSecret(value) ? concealed : settingText(value);
  if (context) Object.assign(values, { "unity:context": context, "unity:useCurrentContext": "false" });
  if (namespace) values["unity:namespace"] = namespace;
  return values;
}

/** Whether a value, or a part of it, is encrypted: `{secure: …}`. */
function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "secure") || Object.values(value).some(holdsSecret);
}

function readConfig(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw new CommandError(`${file} not found\nPass --stack <name> or --config-file <file>.`);
  try {
    const document: unknown = parse(readFileSync(file, "utf8"));
    const config: unknown = document !== null && typeof document === "object" && Reflect.get(document, "config");
    return config !== null && typeof config === "object" ? { ...config } : {};
  } catch (error) {
    throw new CommandError(`invalid YAML in ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Returns the stacks' configuration files among a folder's files. */
export function stackFiles(names: readonly string[]): readonly { readonly file: string; readonly stack: string }[] {
  return names.flatMap((file) => {
    const [, stack] = /^Pulumi\.(.+)\.yaml$/.exec(file) ?? [];
    return stack === undefined ? [] : [{ file, stack }];
  });
}

/** Returns the stack of the options as the program names it, `unity/<stack>`; `undefined` if its file has another name. */
function ownerOf(options: StackOptions): string | undefined {
  const file = options.configFile ?? stackFile(options);
  const [found] = file === undefined ? [] : stackFiles([basename(file)]);
  const stack = found?.stack ?? options.stack;
  return stack === undefined ? undefined : `unity/${stack}`;
}

/** Returns the stack's configuration file; `undefined` if the options have a context and no single file exists. */
function stackFile({ stack, context }: StackOptions): string | undefined {
  if (stack !== undefined) return `Pulumi.${stack}.yaml`;
  const files = stackFiles(readdirSync("."));
  if (files.length === 1) return files[0]?.file;
  if (context !== undefined) return undefined;
  if (files.length === 0) throw new CommandError("no Pulumi.<stack>.yaml in this folder\nPass --config-file <file>.");
  const names = files.map((file) => file.stack).join(", ");
  throw new CommandError(
    `no stack selected; stacks: ${names}\nPass --stack <name> or --config-file <file>, or run: export PULUMI_STACK=<name>`,
  );
}

/**
 * Loads a stack's settings as the program does, and calls `use` with them.
 *
 * @param adjust - Changes the stack's values before they are parsed.
 * @throws {CommandError} With the errors of the settings, or the error of the program.
 */
export async function withSettings<T>(
  options: StackOptions,
  use: (settings: Settings) => T | Promise<T>,
  adjust: (values: Values) => Values = (values) => values,
): Promise<T> {
  const values = adjust(readStack(options));
  const secretKeys = Object.keys(values).filter((key) => values[key] === concealed);
  // Imported here because the SDK takes longer to load than the rest of the CLI.
  const [pulumi, { loadSettings }] = await Promise.all([
    import("@pulumi/pulumi"),
    import("../settings/load-settings.ts"),
  ]);
  try {
    pulumi.runtime.setAllConfig({ ...values }, secretKeys);
    return await use(loadSettings(ownerOf(options)));
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) throw new CommandError(error.message);
    throw error;
  }
}

/**
 * Reads a stack's settings for a command that makes no changes: other settings than the context may be invalid or missing.
 * Secrets are unavailable, so that the SDK isn't loaded.
 *
 * @throws {CommandError} If no context is set.
 */
export async function readSettings(options: StackOptions): Promise<Settings> {
  const values = readStack(options);
  if (!values["unity:context"] && values["unity:useCurrentContext"] !== "true")
    throw new CommandError(
      "no cluster context set\nRun: pulumi config set context <name>, or pass --context <name>; or, to use the current context: pulumi config set useCurrentContext true",
    );
  const { parseSettings } = await import("../settings/parse-settings.ts");
  const { settings } = parseSettings({
    keys: Object.keys(values),
    owner: ownerOf(options),
    get: (key) => values[key],
    isEncrypted: (key) => values[key] === concealed,
    secret: () => undefined as never,
  });
  return settings;
}
