import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { formatPath } from "./diff.ts";
import { formatOutputs } from "./display.ts";
import { setConfig } from "./project.ts";
import { outputsReader } from "./reference.ts";
import { type Result, runUpdate, type Verb } from "./run.ts";
import { ConfigError } from "./secrets.ts";
import { openStack } from "./stack.ts";
import { mask } from "./values.ts";

const usage = `usage: node local/engine/main.ts preview | up | refresh | destroy | stack-output | config set [--secret] KEY [VALUE]
  --cwd FOLDER          the folder of Pulumi.yaml            (the current folder)
  --stack NAME          the stack                            (dev)
  --config-file FILE    the stack's settings                 (Pulumi.<stack>.yaml)
  --state FILE          the state, {stack} being its name    (UNITY_ENGINE_STATE, or in the cache folder)
  --refresh             look at what exists before comparing
  --diff                show every property that differs
  --expect-no-changes   fail when there is anything to do
  --json                print one JSON document
  --secret              encrypt the value; read from standard input when not given
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
  secret: { type: "boolean" },
  help: { type: "boolean" },
} as const;

function asDocument(result: Result): string {
  const steps = result.steps.map(({ changes, ...step }) => ({
    ...step,
    diff: changes.map(({ path }) => formatPath(path)),
  }));
  return JSON.stringify({ ...result, steps, outputs: mask(result.outputs) }, null, 2);
}

/** The command-line interface. @returns The exit code; throws {@link ConfigError} for a wrong command line. */
export async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [verb = "", ...rest] = positionals;
  const stack = { cwd: values.cwd, stack: values.stack, configFile: values["config-file"], stateFile: values.state };
  if (verb === "stack-output") {
    const opened = openStack(stack);
    const outputs = await outputsReader(opened)(opened.name);
    console.log(values.json ? JSON.stringify(mask(outputs), null, 2) : formatOutputs(outputs).join("\n"));
    return 0;
  }
  if (verb === "config" && rest[0] === "set" && rest[1] !== undefined) {
    const { project, settingsFile } = openStack(stack);
    const value = rest[2] ?? (await text(process.stdin)).replace(/\n$/, "");
    await setConfig(project, settingsFile, rest[1], value, values.secret ?? false);
    return 0;
  }
  if (!["preview", "up", "refresh", "destroy"].includes(verb))
    throw new ConfigError(`unknown command "${positionals.join(" ")}"\n${usage}`);
  const cancel = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => cancel.abort());
  const write = (shown: string) => void (values.json ? process.stderr : process.stdout).write(shown);
  const run = {
    verb: verb as Verb,
    refresh: values.refresh,
    diff: values.diff,
    expectNoChanges: values["expect-no-changes"],
  };
  const result = await runUpdate({ ...stack, ...run, write, signal: cancel.signal });
  if (values.json) console.log(asDocument(result));
  return result.exit;
}
