import { commandType } from "./command.ts";
import { type Change, ignoreChanges, parsePath, touches } from "./diff.ts";
import { type Events, nameOf, type StepKind } from "./events.ts";
import { NotReady, type Operation, type Provider } from "./provider.ts";
import type { Providers } from "./providers.ts";
import type { Resource, Store } from "./state.ts";
import { hasSecret, type Properties, secret } from "./values.ts";

/** A resource as the program registers it: what is stored, and the SDK's options that steer its step. */
export interface Registration {
  readonly name: string;
  readonly resource: Omit<Resource, "urn">;
  readonly aliases: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** Seconds. */
  readonly timeouts: { readonly create?: number; readonly update?: number };
}

/** What the steps of an update share. */
export interface Context {
  readonly store: Store;
  readonly providers: Providers;
  readonly events: Events;
  readonly signal: AbortSignal;
  readonly preview: boolean;
}

function operation(
  { store, events, signal, preview }: Context,
  { urn, type }: Resource,
  timeoutSeconds?: number,
): Operation {
  const status = (message: string) => events.status(urn, message);
  const takeOver = store.pending(urn) !== undefined;
  return { name: nameOf(urn), type, preview, takeOver, timeoutSeconds, signal, status };
}

/** Does one step, times it, and tells how it went. */
export async function timed<T>(
  { events }: Context,
  op: StepKind,
  { urn, type }: Pick<Resource, "urn" | "type">,
  work: () => Promise<T>,
  changes: readonly Change[] = [],
): Promise<T> {
  const started = performance.now();
  const tell = (error?: string) =>
    events.step({ op, urn, type, changes, seconds: (performance.now() - started) / 1000, error });
  try {
    const result = await work();
    tell();
    return result;
  } catch (error) {
    tell((error as Error).message);
    throw error;
  }
}

/** Deletes what is behind a resource, and the resource from the state. */
export async function remove(context: Context, resource: Resource): Promise<void> {
  if (resource.protect) throw new Error("it is protected: remove the option `protect` first");
  if (resource.custom && !resource.retainOnDelete && !context.preview)
    await context.providers
      .of(resource.type, resource.provider)
      .remove(operation(context, resource, resource.deleteTimeoutSeconds), resource);
  await context.store.drop(resource);
}

/** Outputs that are secret by option, or because the command had a secret to print. */
function sealed(outputs: Properties, { inputs, type }: Resource, options: Registration): Properties {
  const printed = type === commandType && hasSecret(inputs) ? ["stdout", "stderr"] : [];
  const marked = [...printed, ...options.additionalSecretOutputs].filter((key) => key in outputs);
  return { ...outputs, ...Object.fromEntries(marked.map((key) => [key, secret(outputs[key] ?? null)])) };
}

/** Runs a create or update; what exists but isn't ready is recorded as such before its error goes on. */
async function recorded(
  context: Context,
  fresh: Resource,
  options: Registration,
  old: Resource | undefined,
  work: () => Promise<{ id?: string; outputs: Properties }>,
): Promise<void> {
  const { store, signal } = context;
  const keep = async (made: { id?: string; outputs: Properties }, initErrors?: string[]) => {
    Object.assign(fresh, { id: made.id, outputs: sealed(made.outputs, fresh, options), initErrors });
    store.end(fresh.urn);
    if (old !== undefined) old.delete = true;
    store.put(fresh);
    await store.save();
  };
  try {
    await keep(await work());
  } catch (error) {
    if (error instanceof NotReady) await keep(error.created, [error.message]);
    else if (!signal.aborted) store.end(fresh.urn);
    await store.save();
    throw error;
  }
}

async function create(
  context: Context,
  provider: Provider,
  fresh: Resource,
  options: Registration,
  old?: Resource,
): Promise<void> {
  const op = operation(context, fresh, options.timeouts.create);
  await context.store.begin(fresh);
  await recorded(context, fresh, options, old, () => provider.create(op, fresh.inputs));
}

async function replace(
  context: Context,
  provider: Provider,
  fresh: Resource,
  options: Registration,
  old: Resource,
  first: boolean,
): Promise<void> {
  if (old.protect) throw new Error("it is protected and would have to be replaced: remove the option `protect` first");
  if (first) await remove(context, old);
  await create(context, provider, fresh, options, first ? undefined : old);
}

/** Brings a resource that a provider manages to what is registered. */
export async function step(context: Context, fresh: Resource, options: Registration, old?: Resource): Promise<void> {
  const { store, providers } = context;
  const op = operation(context, fresh);
  const plan = async () => {
    const provider = providers.of(fresh.type, fresh.provider);
    const given = old === undefined ? fresh.inputs : ignoreChanges(old.inputs, fresh.inputs, options.ignoreChanges);
    fresh.inputs = await provider.check(op, given, old?.inputs ?? store.pending(fresh.urn)?.inputs);
    return { provider, given, difference: old && provider.diff(old, fresh.inputs) };
  };
  const { provider, given, difference } = await plan().catch((error) =>
    timed(context, old === undefined ? "create" : "update", fresh, () => Promise.reject(error)),
  );
  if (old === undefined || difference === undefined)
    return timed(context, "create", fresh, () => create(context, provider, fresh, options));
  const { changes, deleteFirst } = difference;
  const asked = options.replaceOnChanges.map(parsePath);
  if (difference.replace || changes.some(({ path }) => asked.some((pattern) => touches(path, pattern)))) {
    const first = deleteFirst || options.deleteBeforeReplace;
    if (!first) fresh.inputs = await provider.check(op, given);
    return timed(context, "replace", fresh, () => replace(context, provider, fresh, options, old, first), changes);
  }
  if (changes.length === 0 && old.initErrors === undefined) {
    Object.assign(fresh, { id: old.id, outputs: old.outputs, applied: old.applied });
    store.put(fresh);
    return timed(context, "same", fresh, async () => {});
  }
  const update = async () => ({
    id: old.id,
    outputs: await provider.update(operation(context, fresh, options.timeouts.update), old, fresh.inputs),
  });
  return timed(context, "update", fresh, () => recorded(context, fresh, options, undefined, update), changes);
}
