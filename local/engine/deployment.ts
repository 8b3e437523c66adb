import { unsupported } from "./errors.ts";
import { type Resource, stackType } from "./state.ts";
import { type Context, type Registration, remove, step, timed } from "./step.ts";
import { hasSecret, type Properties, plain } from "./values.ts";

const stackReferenceType = "pulumi:pulumi:StackReference";
const interrupted = "interrupted while creating in a previous update; if it exists, it is adopted";
const orphaned = "interrupted while creating in a previous update, and not in the program; if it exists, delete it";

/** The response to registrations after a failed step. */
export class Stopped extends Error {}

const needs = (one: Resource, other: Resource): boolean =>
  one.dependencies.includes(other.urn) || one.parent === other.urn || one.provider === other.urn;

interface Target {
  readonly project: string;
  readonly stack: string;
  readOutputs(reference: string): Promise<Properties>;
}

/** Applies the resources that the program registers, one step each. */
export class Deployment {
  failed = false;
  /** Resolves when the live state is read. */
  refreshed: Promise<void> = Promise.resolve();
  private readonly seen = new Set<string>();
  private readonly running = new Set<Promise<void>>();
  private readonly target: Target;
  private readonly context: Context;

  constructor(target: Target, context: Context) {
    this.target = target;
    this.context = context;
    for (const urn of context.store.state.pending) context.display.log("warning", interrupted, urn);
  }

  private urn(type: string, name: string, parent = ""): string {
    const parentType = parent.split("::")[2] ?? "";
    const qualified = parentType === "" || parentType === stackType ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.target.stack}::${this.target.project}::${qualified}::${name}`;
  }

  /** Reads the live state of all resources in parallel; drops those that don't exist. */
  refresh(): void {
    const { store, providers, display } = this.context;
    const read = async (resource: Resource): Promise<void> => {
      const provider = resource.custom ? providers.of(resource.type, resource.provider) : undefined;
      if (provider?.read === undefined) return;
      const live = await provider.read(resource);
      if (live === undefined) {
        display.log("info", "not found in the cluster; removed from the state", resource.urn);
        return store.drop(resource);
      }
      resource.applied ??= resource.outputs;
      resource.outputs = live;
    };
    const work = Promise.all(store.state.resources.map(read)).then(() => store.save());
    this.refreshed = work.catch((error: Error) => {
      this.failed = true;
      display.log("error", `refresh: ${error.message}`);
      throw new Stopped(error.message);
    });
    this.refreshed.catch(() => {});
  }

  /**
   * Registers a resource and runs its step.
   *
   * @throws {Error} If the step fails.
   */
  async register(registration: Registration): Promise<Resource> {
    if (this.failed || this.context.signal.aborted) throw new Stopped("the update was stopped");
    const { resource, name } = registration;
    const fresh = { ...resource, urn: this.urn(resource.type, name, resource.parent) };
    const work = this.registered(fresh, registration);
    const settled = work.catch(() => {
      this.failed = true;
    });
    this.running.add(settled);
    settled.finally(() => this.running.delete(settled));
    await work;
    return fresh;
  }

  private async registered(fresh: Resource, registration: Registration): Promise<void> {
    const { store, display } = this.context;
    if (this.seen.has(fresh.urn)) throw new Error(`Duplicate resource URN '${fresh.urn}'; try giving it a unique name`);
    this.seen.add(fresh.urn);
    display.redactor.learn(fresh.inputs);
    await this.refreshed;
    const old = store.find(fresh.urn, registration.aliases);
    if (fresh.custom) return step(this.context, fresh, registration, old);
    fresh.outputs = old?.outputs ?? fresh.inputs;
    store.put(fresh);
    return timed(this.context, fresh, { op: old === undefined ? "create" : "same" }, async () => {});
  }

  /**
   * Reads a stack reference, the only type that programs read; it isn't kept in the state.
   *
   * @throws {Error} If the type is another or the stack is unknown.
   */
  async read(type: string, name: string, parent: string, { name: stack = "" }: Properties) {
    if (type !== stackReferenceType) throw unsupported(`reading a ${type}`);
    const outputs = await this.target.readOutputs(String(plain(stack)));
    this.context.display.redactor.learn(outputs);
    const secretOutputNames = Object.keys(outputs).filter((key) => hasSecret(outputs[key] ?? null));
    return { urn: this.urn(type, name, parent), outputs: { name: stack, outputs, secretOutputNames } };
  }

  get idle(): boolean {
    return this.running.size === 0;
  }

  /** Waits until no step is running. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Deletes replaced resources and those the program no longer registers, or all; dependents first. */
  async finish(all = false): Promise<void> {
    const { store, display, signal } = this.context;
    const targets = store.state.resources.filter((item) => all || item.delete || !this.seen.has(item.urn));
    const started = new Map<Resource, Promise<void>>();
    const deletion = async (target: Resource): Promise<void> => {
      await Promise.all(targets.filter((item) => item !== target && needs(item, target)).map(deleteOnce));
      signal.throwIfAborted();
      const op = target.delete ? "discard" : "delete";
      await timed(this.context, target, { op }, () => remove(this.context, target));
    };
    const deleteOnce = (target: Resource): Promise<void> => {
      const work = started.get(target) ?? deletion(target);
      started.set(target, work);
      return work;
    };
    const results = await Promise.allSettled(targets.map(deleteOnce));
    this.failed ||= results.some(({ status }) => status === "rejected");
    for (const urn of store.state.pending) if (!this.seen.has(urn)) display.log("warning", orphaned, urn);
    store.state.pending = [];
  }

  registerOutputs(urn: string, outputs: Properties): void {
    const resource = this.context.store.find(urn);
    if (resource !== undefined) resource.outputs = outputs;
  }
}
