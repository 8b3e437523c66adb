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
  /** Whether to read the live state first. */
  readonly refresh?: boolean;
  /** Whether to print all changed properties in `up`, too. */
  readonly diff?: boolean;
  readonly expectNoChanges?: boolean;
  /** @defaultValue writes to standard output */
  readonly write?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** The result of an update. */
export interface Result {
  /** The Pulumi CLI's exit code: 0 success, 1 program, 2 configuration, 4 resource, 8 canceled. */
  readonly exit: 0 | 1 | 2 | 4 | 8;
  readonly steps: readonly Step[];
  readonly outputs: Properties;
}

const progress = { preview: "Previewing update", up: "Updating", destroy: "Destroying" } as const;

/** Reads settings and state while the program starts. */
async function open(stack: Stack, display: Display, signal: AbortSignal, preview: boolean, refresh: boolean) {
  const { config, secretKeys } = await stack.settings;
  for (const key of secretKeys) display.redactor.learn(config[key] ?? "", true);
  const state = await stack.file.load();
  const withoutObjects = state.resources.filter(({ type }) => !type.startsWith("kubernetes:"));
  display.redactor.learn(withoutObjects as unknown as Value);
  const store = new Store(state, async () => {
    if (!preview) await stack.file.save(state);
  });
  const outputs = (reference: string) => readOutputs(stack, reference, true);
  const target = { project: stack.project.name, stack: stack.name, readOutputs: outputs };
  const deployment = new Deployment(target, { store, providers: new Providers(store), display, signal, preview });
  if (refresh) deployment.refresh();
  return { store, deployment };
}

/**
 * Previews or runs an update of a stack.
 *
 * @returns The result, also of an update that fails.
 * @throws {ConfigError} If the stack's files are missing or invalid.
 */
export async function runUpdate(options: Options): Promise<Result> {
  const started = performance.now();
  const { verb, refresh = false, diff = false, signal = new AbortController().signal } = options;
  const preview = verb === "preview";
  const stack = openStack(options);
  const display = new Display(options.write ?? ((text) => process.stdout.write(text)), { preview, diff });
  display.line(`${progress[verb]} (${stack.name}) with the embedded engine:`);
  const stale = preview ? undefined : stack.file.lock();
  if (stale !== undefined) display.line(`Removed the stale lock of process ${stale}.`);
  try {
    const opened = open(stack, display, signal, preview, refresh);
    const ready = opened.then(({ deployment }) => deployment);
    const running = verb === "destroy" ? undefined : runProgram(ready, stack, { preview, display, signal });
    const [{ deployment, store }, code = 0] = await Promise.all([opened, running]);
    await deployment.refreshed.catch(() => {});
    if (code === 0 && !deployment.failed && !signal.aborted) await deployment.finish(verb === "destroy");
    const hasError = () => display.diagnostics.some(({ severity }) => severity === "error");
    if (code !== 0 && !hasError() && !signal.aborted) display.log("error", `the program exited with code ${code}`);
    await store.save();
    if (options.expectNoChanges && display.steps.some(({ op }) => op !== "same"))
      display.log("error", `no changes were expected but changes ${preview ? "were proposed" : "occurred"}`);
    const outputs = outputsOf(store.state);
    display.summary(outputs, (performance.now() - started) / 1000);
    let exit: Result["exit"] = code !== 0 || hasError() ? 1 : 0;
    if (deployment.failed) exit = 4;
    if (signal.aborted) exit = 8;
    return { exit, steps: display.steps, outputs };
  } finally {
    if (!preview) stack.file.unlock();
  }
}
