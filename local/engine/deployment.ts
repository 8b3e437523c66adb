import { unsupported } from "./errors.ts";
import { type Resource, stackType } from "./state.ts";
import { type Context, type Registration, remove, step, timed } from "./step.ts";
import { hasSecret, type Properties, plain } from "./values.ts";

const stackReferenceType = "pulumi:pulumi:StackReference";

/** Answer to a program that registers more after a step has failed. */
export class Stopped extends Error {}

const needs = (one: Resource, other: Resource): boolean =>
  one.dependencies.includes(other.urn) || one.parent === other.urn || one.provider === other.urn;

/** Brings what exists to what the program registers, one step a resource. */
export class Deployment {
  failed = false;
  /** Ends when what exists has been looked at. */
  refreshed: Promise<void> = Promise.resolve();
  private readonly seen = new Set<string>();
  private readonly running = new Set<Promise<void>>();
  private readonly target: {
    readonly project: string;
    readonly stack: string;
    readonly readOutputs: (reference: string) => Promise<Properties>;
  };
  private readonly context: Context;

  constructor(target: Deployment["target"], context: Context) {
    this.target = target;
    this.context = context;
    const interrupted = "an earlier run ended while it was being created; what exists of it is taken over";
    for (const urn of context.store.state.pending) context.display.log("warning", interrupted, urn);
  }

  private urn(type: string, name: string, parent = ""): string {
    const parentType = parent.split("::")[2] ?? "";
    const qualified = parentType === "" || parentType === stackType ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.target.stack}::${this.target.project}::${qualified}::${name}`;
  }

  /** Reads what exists, all at once; what is gone is dropped from the state. */
  refresh(): void {
    const { store, providers, display } = this.context;
    const look = async (resource: Resource): Promise<void> => {
      const provider = resource.custom ? providers.of(resource.type, resource.provider) : undefined;
      if (provider?.read === undefined) return;
      const live = await provider.read(resource);
      if (live === undefined) {
        display.log("info", "is gone: it was deleted by other hands", resource.urn);
        return store.drop(resource);
      }
      resource.applied ??= resource.outputs;
      resource.outputs = live;
    };
    const work = Promise.all(store.state.resources.map(look)).then(() => store.save());
    this.refreshed = work.catch((error: Error) => {
      this.failed = true;
      display.log("error", `refresh: ${error.message}`);
      throw new Stopped(error.message);
    });
    this.refreshed.catch(() => {});
  }

  /** @returns The resource after its step; throws what made the step fail. */
  async register(registration: Registration): Promise<Resource> {
    if (this.failed || this.context.signal.aborted) throw new Stopped("the update has stopped");
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
    if (this.seen.has(fresh.urn)) throw new Error(`two resources have the URN ${fresh.urn}: give one another name`);
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
   * Reads the outputs of another stack, the one thing that is read and not managed.
   *
   * @returns The reference as the CLI's own provider answers it; it is not kept in the state.
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

  /** Deletes what the program no longer registers (or all), and what was replaced; dependents first. */
  async finish(all = false): Promise<void> {
    const { store, display, signal } = this.context;
    const targets = store.state.resources.filter((item) => all || item.delete || !this.seen.has(item.urn));
    const begun = new Map<Resource, Promise<void>>();
    const end = async (target: Resource): Promise<void> => {
      await Promise.all(targets.filter((item) => item !== target && needs(item, target)).map(once));
      signal.throwIfAborted();
      await timed(this.context, target, { op: target.delete ? "discard" : "delete" }, () =>
        remove(this.context, target),
      );
    };
    const once = (target: Resource): Promise<void> => {
      const work = begun.get(target) ?? end(target);
      begun.set(target, work);
      return work;
    };
    const ends = await Promise.allSettled(targets.map(once));
    this.failed ||= ends.some(({ status }) => status === "rejected");
    const lost = "an interrupted create may have left it, and it is not in the program: look for it, and delete it";
    for (const urn of store.state.pending) if (!this.seen.has(urn)) display.log("warning", lost, urn);
    store.state.pending = [];
  }

  registerOutputs(urn: string, outputs: Properties): void {
    const resource = this.context.store.find(urn);
    if (resource !== undefined) resource.outputs = outputs;
  }
}
