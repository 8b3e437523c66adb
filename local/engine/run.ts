import { Deployment } from "./deployment.ts";
import { Display, type Step } from "./display.ts";
import { runProgram } from "./program.ts";
import { Providers } from "./providers.ts";
import { openStack, readOutputs, type Stack, type StackOptions } from "./stack.ts";
import { outputsOf, Store } from "./state.ts";
import type { Properties, Value } from "./values.ts";

export type Verb = "preview" | "up" | "destroy";
export interface Options extends StackOptions {
  readonly verb: Verb;
  /** Look at what exists before comparing. @defaultValue false */
  readonly refresh?: boolean;
  /** Show every property that differs, in `up` too. */
  readonly diff?: boolean;
  readonly expectNoChanges?: boolean;
  /** Where the text for people goes. @defaultValue standard output */
  readonly write?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What an update came to; `exit` is the Pulumi CLI's code: 0 ok, 1 program, 2 settings, 4 resource, 8 cancelled. */
export interface Result {
  readonly exit: 0 | 1 | 2 | 4 | 8;
  readonly steps: readonly Step[];
  readonly outputs: Properties;
}

/** Reads settings and state, while the program starts. */
async function open(stack: Stack, display: Display, signal: AbortSignal, preview: boolean, refresh: boolean) {
  const { config, secretKeys } = await stack.settings;
  for (const key of secretKeys) display.redactor.learn(config[key] ?? "", true);
  const state = await stack.file.load();
  const told = state.resources.filter(({ type }) => !type.startsWith("kubernetes:"));
  display.redactor.learn(told as unknown as Value);
  const store = new Store(state, () => (preview ? Promise.resolve() : stack.file.save(state)));
  const context = { store, providers: new Providers(store), display, signal, preview };
  const deployment = new Deployment(
    { project: stack.project.name, stack: stack.name, readOutputs: (reference) => readOutputs(stack, reference, true) },
    context,
  );
  if (refresh) deployment.refresh();
  return { store, deployment };
}

/** Runs one verb of the engine on a stack; faults end in the result, not in an exception, but for {@link ConfigError}. */
export async function runUpdate(options: Options): Promise<Result> {
  const started = performance.now();
  const { verb, write = (text) => process.stdout.write(text), signal = new AbortController().signal } = options;
  const preview = verb === "preview";
  const stack = openStack(options);
  const display = new Display(write, { preview, diff: options.diff ?? false });
  display.line(`${verb} of ${stack.project.name}/${stack.name} by the embedded engine`);
  const freed = preview ? undefined : stack.file.lock();
  if (freed !== undefined) display.line(freed);
  try {
    const opened = open(stack, display, signal, preview, options.refresh ?? false);
    const ready = opened.then(({ deployment }) => deployment);
    const running = preview || verb === "up" ? runProgram(ready, stack, { preview, display, signal }) : undefined;
    const [{ deployment, store }, code = 0] = await Promise.all([opened, running]);
    await deployment.refreshed.catch(() => {});
    if (code === 0 && !deployment.failed && !signal.aborted) await deployment.finish(verb === "destroy");
    const faulty = display.diagnostics.some(({ severity }) => severity === "error");
    if (code !== 0 && !faulty && !signal.aborted) display.log("error", `the program ended with exit code ${code}`);
    await store.save();
    const unexpected = options.expectNoChanges && display.steps.some(({ op }) => op !== "same");
    if (unexpected) display.log("error", "no changes were expected, but there are some");
    const bad = deployment.failed ? 4 : code !== 0 || faulty || unexpected ? 1 : 0;
    const outputs = outputsOf(store.state);
    display.end(outputs, (performance.now() - started) / 1000);
    return { exit: signal.aborted ? 8 : bad, steps: display.steps, outputs };
  } finally {
    if (!preview) stack.file.unlock();
  }
}
