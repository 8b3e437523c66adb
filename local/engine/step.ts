import { commandType } from "./command.ts";
import { type Change, type Path, taken } from "./diff.ts";
import type { Display, StepKind } from "./display.ts";
import { NotReady, type Operation, type Provider } from "./provider.ts";
import type { Providers } from "./providers.ts";
import { nameOf, type Resource, type Store } from "./state.ts";
import { hasSecret, type Properties, secret } from "./values.ts";

/** A resource as the program registers it: what is stored, and the SDK's options that steer its step. */
export interface Registration {
  readonly name: string;
  readonly resource: Omit<Resource, "urn">;
  /** URNs that it had before. */
  readonly aliases: readonly string[];
  /** Properties that stay as they are, whatever the program says. */
  readonly ignoreChanges: readonly Path[];
}

/** What the steps of an update share. */
export interface Context {
  readonly store: Store;
  readonly providers: Providers;
  readonly display: Display;
  readonly signal: AbortSignal;
  readonly preview: boolean;
}

/** What a step turns out to be, filled in as that is found out. */
interface Plan {
  op: StepKind;
  changes?: readonly Change[];
}

function operation({ store, display, signal, preview }: Context, { urn }: Resource, ignored: readonly Path[] = []) {
  const status = (message: string) => display.status(urn, message);
  const takeOver = store.state.pending.includes(urn);
  return { name: nameOf(urn), preview, takeOver, ignored, signal, status } satisfies Operation;
}

/** Does one step, times it, and tells how it went. */
export async function timed(context: Context, resource: Resource, plan: Plan, work: () => Promise<void>) {
  const started = performance.now();
  const tell = (error?: string) => {
    const { urn, type } = resource;
    context.display.step({ changes: [], ...plan, urn, type, seconds: (performance.now() - started) / 1000, error });
  };
  try {
    await work();
    tell();
  } catch (error) {
    tell((error as Error).message);
    throw error;
  }
}

/** Deletes what is behind a resource, and the resource from the state. */
export async function remove(context: Context, resource: Resource): Promise<void> {
  if (resource.custom && !resource.retainOnDelete && !context.preview)
    await context.providers.of(resource.type, resource.provider).remove(operation(context, resource), resource);
  await context.store.drop(resource);
}

/** What a command that was given a secret prints is secret too. */
function sealed(outputs: Properties, { inputs, type }: Resource): Properties {
  if (type !== commandType || !hasSecret(inputs)) return outputs;
  return { ...outputs, stdout: secret(outputs.stdout ?? null), stderr: secret(outputs.stderr ?? null) };
}

/** Runs a create or update; what exists but isn't ready is recorded as such before its error goes on. */
async function recorded(
  { store, signal }: Context,
  fresh: Resource,
  old: Resource | undefined,
  work: () => Promise<{ id?: string; outputs: Properties }>,
): Promise<void> {
  const keep = async (made: { id?: string; outputs: Properties }, initErrors?: string[]) => {
    Object.assign(fresh, { id: made.id, outputs: sealed(made.outputs, fresh), initErrors });
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

async function create(context: Context, provider: Provider, fresh: Resource, old?: Resource): Promise<void> {
  const op = operation(context, fresh);
  await context.store.begin(fresh.urn);
  await recorded(context, fresh, old, () => provider.create(op, fresh.inputs));
}

/** Brings a resource that a provider manages to what is registered. */
export function step(context: Context, fresh: Resource, options: Registration, old?: Resource): Promise<void> {
  const plan: Plan = { op: old === undefined ? "create" : "update" };
  return timed(context, fresh, plan, async () => {
    const provider = context.providers.of(fresh.type, fresh.provider);
    const ignored = options.ignoreChanges;
    fresh.inputs = provider.check(old === undefined ? fresh.inputs : taken(old.inputs, fresh.inputs, ignored));
    if (old === undefined) return create(context, provider, fresh);
    const { changes, replace, deleteFirst } = provider.diff(old, fresh.inputs, ignored);
    plan.changes = changes;
    if (replace) {
      plan.op = "replace";
      if (deleteFirst) await remove(context, old);
      return create(context, provider, fresh, deleteFirst ? undefined : old);
    }
    if (changes.length > 0 || old.initErrors !== undefined) {
      const op = operation(context, fresh, ignored);
      return recorded(context, fresh, undefined, async () => ({
        id: old.id,
        outputs: await provider.update(op, old, fresh.inputs),
      }));
    }
    plan.op = "same";
    Object.assign(fresh, { id: old.id, outputs: old.outputs, applied: old.applied });
    context.store.put(fresh);
  });
}
