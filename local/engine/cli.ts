import { parseArgs } from "node:util";
import { ConfigError } from "./errors.ts";
import { runUpdate, type Verb } from "./run.ts";
import { openStack, readOutputs } from "./stack.ts";
import { mask } from "./values.ts";

const usage = `Usage: node local/engine/main.ts preview | up | destroy | stack-output --json

  --cwd <folder>         folder of Pulumi.yaml (default: the current folder)
  --stack <name>         stack (default: dev)
  --config-file <file>   configuration file (default: Pulumi.<stack>.yaml)
  --state <file>         state file; {stack} is replaced by the stack's name
                         (default: $UNITY_ENGINE_STATE, or a file in the cache folder)
  --refresh              read the live state of all resources first
  --diff                 print all changed properties
  --expect-no-changes    fail if there are changes

For the demo and tests of this project only. Otherwise, use the Pulumi CLI.`;

const options = {
  cwd: { type: "string" },
  stack: { type: "string" },
  "config-file": { type: "string" },
  state: { type: "string" },
  refresh: { type: "boolean" },
  diff: { type: "boolean" },
  "expect-no-changes": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const isVerb = (name: string): name is Verb => ["preview", "up", "destroy"].includes(name);

/**
 * Runs the command-line interface.
 *
 * @returns The exit code.
 * @throws {ConfigError} If the command line is invalid.
 */
export async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [command = ""] = positionals;
  const stack = { cwd: values.cwd, stack: values.stack, configFile: values["config-file"], stateFile: values.state };
  if (command === "stack-output") {
    const opened = openStack(stack);
    const outputs = await readOutputs(opened, opened.name);
    console.log(JSON.stringify(mask(outputs), null, 2));
    return 0;
  }
  if (!isVerb(command)) throw new ConfigError(`unknown command "${positionals.join(" ")}"\n${usage}`);
  const cancel = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => cancel.abort());
  const { refresh, diff, "expect-no-changes": expectNoChanges } = values;
  const run = { ...stack, verb: command, refresh, diff, expectNoChanges, signal: cancel.signal };
  return (await runUpdate(run)).exit;
}
