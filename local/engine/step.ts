import { commandType } from "./command.ts";
import { type Change, type Path, withValuesAt } from "./diff.ts";
import type { Display, StepKind } from "./display.ts";
import { type Created, NotReady, type Operation, type Provider } from "./provider.ts";
import type { Providers } from "./providers.ts";
import { nameOf, type Resource, type Store } from "./state.ts";
import { hasSecret, type Properties, secret } from "./values.ts";

/** A resource that the program registers. */
export interface Registration {
  readonly name: string;
  readonly resource: Omit<Resource, "urn">;
  /** Previous URNs. */
  readonly aliases: readonly string[];
  readonly ignoreChanges: readonly Path[];
}

/** The context of an update's steps. */
export interface Context {
  readonly store: Store;
  readonly providers: Providers;
  readonly display: Display;
  readonly signal: AbortSignal;
  readonly preview: boolean;
}

/** A step to print, completed while it runs. */
interface Plan {
  op: StepKind;
  changes?: readonly Change[];
}

function operationOf(context: Context, { urn }: Resource, ignored: readonly Path[] = []): Operation {
  const { store, display, signal, preview } = context;
  const status = (message: string) => display.status(urn, message);
  return { name: nameOf(urn), preview, adopt: store.state.pending.includes(urn), ignored, signal, status };
}

/** Runs a step, measures it, and prints its result. */
export async function timed(
  { display }: Context,
  { urn, type }: Resource,
  plan: Plan,
  work: () => Promise<void>,
): Promise<void> {
  const started = performance.now();
  const print = (error?: string) =>
    display.step({ changes: [], ...plan, urn, type, seconds: (performance.now() - started) / 1000, error });
  try {
    await work();
    print();
  } catch (error) {
    print((error as Error).message);
    throw error;
  }
}

/** Deletes a resource, also from the state. */
export async function remove(context: Context, resource: Resource): Promise<void> {
  if (resource.custom && !resource.retainOnDelete && !context.preview) {
    const provider = context.providers.of(resource.type, resource.provider);
    await provider.remove(operationOf(context, resource), resource);
  }
  await context.store.drop(resource);
}

/** Marks a command's outputs as secret if it has a secret input. */
function withSecretOutputs(outputs: Properties, { inputs, type }: Resource): Properties {
  if (type !== commandType || !hasSecret(inputs)) return outputs;
  return { ...outputs, stdout: secret(outputs.stdout ?? null), stderr: secret(outputs.stderr ?? null) };
}

/** Runs a create or update and records its result, also of a resource that isn't ready. */
async function recorded(
  { store, signal }: Context,
  fresh: Resource,
  replaced: Resource | undefined,
  work: () => Promise<{ id?: string; outputs: Properties }>,
): Promise<void> {
  const record = async ({ id, outputs }: Partial<Created> & { outputs: Properties }, initErrors?: string[]) => {
    Object.assign(fresh, { id, outputs: withSecretOutputs(outputs, fresh), initErrors });
    store.end(fresh.urn);
    if (replaced !== undefined) replaced.delete = true;
    store.put(fresh);
    await store.save();
  };
  try {
    await record(await work());
  } catch (error) {
    if (error instanceof NotReady) await record(error.created, [error.message]);
    else if (!signal.aborted) store.end(fresh.urn);
    await store.save();
    throw error;
  }
}

async function create(context: Context, provider: Provider, fresh: Resource, replaced?: Resource): Promise<void> {
  const op = operationOf(context, fresh);
  await context.store.begin(fresh.urn);
  await recorded(context, fresh, replaced, () => provider.create(op, fresh.inputs));
}

/** Creates, updates, or replaces a resource as registered. */
export function step(
  context: Context,
  fresh: Resource,
  { ignoreChanges }: Registration,
  old: Resource | undefined,
): Promise<void> {
  const plan: Plan = { op: old === undefined ? "create" : "update" };
  return timed(context, fresh, plan, async () => {
    const provider = context.providers.of(fresh.type, fresh.provider);
    if (old === undefined) {
      fresh.inputs = provider.check(fresh.inputs);
      return create(context, provider, fresh);
    }
    fresh.inputs = provider.check(withValuesAt(fresh.inputs, old.inputs, ignoreChanges));
    const { changes, replace, deleteFirst } = provider.diff(old, fresh.inputs, ignoreChanges);
    plan.changes = changes;
    if (replace) {
      plan.op = "replace";
      if (deleteFirst) await remove(context, old);
      return create(context, provider, fresh, deleteFirst ? undefined : old);
    }
    if (changes.length > 0 || old.initErrors !== undefined) {
      const op = operationOf(context, fresh, ignoreChanges);
      return recorded(context, fresh, undefined, async () => {
        const outputs = await provider.update(op, old, fresh.inputs);
        return { id: old.id, outputs };
      });
    }
    plan.op = "same";
    Object.assign(fresh, { id: old.id, outputs: old.outputs, applied: old.applied });
    context.store.put(fresh);
  });
}
