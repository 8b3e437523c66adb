import { parseArgs } from "node:util";
import { ConfigError } from "./errors.ts";
import { runUpdate, type Verb } from "./run.ts";
import { openStack, readOutputs } from "./stack.ts";
import { mask } from "./values.ts";

const usage = `usage: node local/engine/main.ts preview | up | destroy | stack-output --json
  --cwd FOLDER          the folder of Pulumi.yaml            (the current folder)
  --stack NAME          the stack                            (dev)
  --config-file FILE    the stack's settings                 (Pulumi.<stack>.yaml)
  --state FILE          the state, {stack} being its name    (UNITY_ENGINE_STATE, or in the cache folder)
  --refresh             look at what exists before comparing
  --diff                show every property that differs
  --expect-no-changes   fail when there is anything to do
For the demo and the tests of this project; where the Pulumi CLI can be installed, use that.`;

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

/** The command-line interface. @returns The exit code; throws {@link ConfigError} for a wrong command line. */
export async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [verb = ""] = positionals;
  const stack = { cwd: values.cwd, stack: values.stack, configFile: values["config-file"], stateFile: values.state };
  if (verb === "stack-output") {
    const opened = openStack(stack);
    const outputs = await readOutputs(opened, opened.name);
    console.log(JSON.stringify(mask(outputs), null, 2));
    return 0;
  }
  if (!["preview", "up", "destroy"].includes(verb))
    throw new ConfigError(`unknown command "${positionals.join(" ")}"\n${usage}`);
  const cancel = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => cancel.abort());
  const run = {
    verb: verb as Verb,
    refresh: values.refresh,
    diff: values.diff,
    expectNoChanges: values["expect-no-changes"],
  };
  const { exit } = await runUpdate({ ...stack, ...run, signal: cancel.signal });
  return exit;
}
