import { Deployment } from "./deployment.ts";
import { type Diagnostic, Display } from "./display.ts";
import type { Step } from "./events.ts";
import { runProgram } from "./program.ts";
import { Providers } from "./providers.ts";
import { openStack, outputsOf, type Stack, type StackOptions } from "./stack.ts";
import { Store } from "./state.ts";
import type { Properties, Value } from "./values.ts";

export type Verb = "preview" | "up" | "refresh" | "destroy";
export interface Options extends StackOptions {
  readonly verb: Verb;
  /** Look at what exists before comparing. @default `options.refresh` of `Pulumi.yaml` */
  readonly refresh?: boolean;
  /** Show every property that differs, in `up` too. */
  readonly diff?: boolean;
  readonly expectNoChanges?: boolean;
  readonly color?: boolean;
  /** Where the text for people goes. @default standard output */
  readonly write?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What an update came to; `exit` is the Pulumi CLI's code: 0 ok, 1 program, 2 settings, 4 resource, 8 cancelled. */
export interface Result {
  readonly exit: 0 | 1 | 2 | 4 | 8;
  readonly steps: readonly Step[];
  readonly outputs: Properties;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the state, which takes half a second where it holds secrets, while the program starts. */
async function open(stack: Stack, display: Display, signal: AbortSignal, preview: boolean, refresh: boolean) {
  const state = await stack.file.load();
  const told = state.resources.filter(({ type }) => !type.startsWith("kubernetes:"));
  display.redactor.learn(told as unknown as Value);
  const store = new Store(state, () => (preview ? Promise.resolve() : stack.file.save(state)));
  const providers = new Providers(store, stack.settings.config);
  const target = { project: stack.project.name, stack: stack.name };
  const deployment = new Deployment(target, { store, providers, events: display, signal, preview });
  if (refresh) deployment.refresh();
  return { store, deployment };
}

/** Runs one verb of the engine on a stack; faults end in the result, not in an exception, but for {@link ConfigError}. */
export async function runUpdate(options: Options): Promise<Result> {
  const started = performance.now();
  const { verb, write = (text) => process.stdout.write(text), signal = new AbortController().signal } = options;
  const preview = verb === "preview";
  const runs = preview || verb === "up";
  if (runs) void import("./monitor.ts");
  const stack = await openStack(options);
  const display = new Display(write, { preview, diff: options.diff ?? false, color: options.color ?? false });
  for (const key of stack.settings.secretKeys) display.redactor.learn(stack.settings.config[key] ?? "", true);
  display.line(`${verb} of ${stack.project.name}/${stack.name} by the embedded engine`);
  const freed = preview ? undefined : stack.file.lock();
  if (freed !== undefined) display.line(freed);
  try {
    const refresh = verb === "refresh" || (options.refresh ?? stack.project.refresh);
    const opened = open(stack, display, signal, preview, refresh);
    const running = runs ? runProgram(opened, stack, { preview, display, signal, write }) : undefined;
    const [{ deployment, store }, code = 0] = await Promise.all([opened, running]);
    if (verb === "refresh") await deployment.refreshed.catch(() => {});
    if (code === 0 && !deployment.failed && !signal.aborted && verb !== "refresh")
      await deployment.finish(verb === "destroy");
    const faulty = display.diagnostics.some(({ severity }) => severity === "error");
    if (code !== 0 && !faulty && !signal.aborted) display.log("error", `the program ended with exit code ${code}`);
    await store.save();
    const changed = display.steps.some(({ op }) => op !== "same");
    if (options.expectNoChanges && changed) display.log("error", "no changes were expected, but there are some");
    const bad = deployment.failed ? 4 : code !== 0 || faulty || (options.expectNoChanges && changed) ? 1 : 0;
    const exit = signal.aborted ? 8 : bad;
    display.end(outputsOf(store.state), (performance.now() - started) / 1000);
    return { exit, steps: display.steps, outputs: outputsOf(store.state), diagnostics: display.diagnostics };
  } finally {
    if (!preview) stack.file.unlock();
  }
}
