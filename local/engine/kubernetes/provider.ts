import { type ManagedFields, transferOwnership } from "../../../src/adoption/managed-fields.ts";
import { diff, isWithin, type Path, prune, taken } from "../diff.ts";
import { type Created, type Difference, NotReady, type Operation, type Provider } from "../provider.ts";
import type { Resource } from "../state.ts";
import { unsupported } from "../unsupported.ts";
import { annotateSecrets, hasUnknown, type Properties, plain } from "../values.ts";
import { ApiError, Cluster, isGone, type KubeObject, pathOf } from "./client.ts";
import { isForced, isNamespaced, managerOf, needsNew, refuseUnknown, skipsAwait } from "./kinds.ts";
import { untilGone, untilReady } from "./wait.ts";

/** The provider's own settings that this engine follows; any other is refused. */
const known = ["context", "namespace", "upsertExistingObjects", "enableSecretMutable", "version"];
/** Managers whose fields the provider takes over in an update, being earlier hands of the same operator. */
const isOurs = ({ manager = "", operation }: ManagedFields): boolean =>
  manager.startsWith("kubectl") ||
  (operation === "Update" && /^(before-first-apply|pulumi-(resource-)?kubernetes)/.test(manager));
const merge = "application/merge-patch+json";

const idOf = ({ metadata }: KubeObject): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;

function recorded(live: KubeObject, inputs: Properties): Properties {
  const { managedFields: _, ...metadata } = live.metadata;
  return annotateSecrets({ ...live, metadata }, inputs);
}

/** How an object is applied. */
interface Apply {
  readonly force: boolean;
  readonly dryRun?: boolean;
  readonly manager?: string;
}

/** Kubernetes objects, by server-side apply. */
export class Kubernetes implements Provider {
  private readonly cluster: Cluster;
  private readonly settings: Properties;

  /** @param inputs The provider resource's inputs; throws on a setting that is not supported. */
  constructor(inputs: Properties) {
    this.settings = plain(inputs);
    const other = Object.keys(this.settings).find((key) => !known.includes(key));
    if (other !== undefined) throw unsupported(`the Kubernetes provider's ${other}`);
    this.cluster = new Cluster(this.settings.context as string | undefined);
  }

  check(inputs: Properties): Properties {
    const object: KubeObject = inputs;
    refuseUnknown(object);
    const namespace = object.metadata.namespace ?? this.settings.namespace ?? "default";
    const metadata = isNamespaced(object) ? { ...object.metadata, namespace } : object.metadata;
    return annotateSecrets({ ...inputs, metadata }, inputs);
  }

  diff(old: Resource, inputs: Properties, ignored: readonly Path[]): Difference {
    const drift = old.applied === undefined ? [] : diff(prune(old.outputs, old.inputs), prune(old.applied, old.inputs));
    const said = diff(old.inputs, inputs);
    const unsaid = drift.filter(({ path }) => !said.some((change) => String(change.path) === String(path)));
    const changes = [...said, ...unsaid].filter(({ path }) => !isWithin(path, ignored));
    const object: KubeObject = plain(inputs);
    const mutableSecrets = String(this.settings.enableSecretMutable) === "true";
    const replace = changes.some((change) => needsNew(change, object, mutableSecrets));
    return { changes, replace, deleteFirst: replace && idOf(plain(old.outputs)) === idOf(object) };
  }

  private apply(
    object: KubeObject,
    { force, dryRun = false, manager = managerOf(object) }: Apply,
  ): Promise<KubeObject> {
    const query = `fieldManager=${manager}&force=${force}${dryRun ? "&dryRun=All" : ""}`;
    return this.cluster.send("PATCH", `${pathOf(object)}?${query}`, object, "application/apply-patch+yaml");
  }

  /** Takes over what earlier hands of ours manage, so that what is no longer declared goes. */
  private async takeFields(object: KubeObject): Promise<void> {
    const live = await this.cluster.get(object);
    const to = { manager: managerOf(object), operation: "Apply" } as const;
    const managedFields = transferOwnership(live?.metadata.managedFields ?? [], to, isOurs);
    if (managedFields === undefined) return;
    const metadata = { resourceVersion: live?.metadata.resourceVersion, managedFields };
    await this.cluster.send("PATCH", pathOf(object), { metadata }, merge);
  }

  /** Gives up a manager's part in an object that another one of ours has applied. */
  private async release(
    { apiVersion, kind, metadata: { name, namespace } }: KubeObject,
    manager: string,
  ): Promise<void> {
    await this.apply({ apiVersion, kind, metadata: { name, namespace } }, { force: false, manager });
  }

  private async ready(op: Operation, live: KubeObject, inputs: Properties): Promise<Created> {
    if (skipsAwait(live)) return { id: idOf(live), outputs: recorded(live, inputs) };
    try {
      const outputs = recorded(await untilReady(this.cluster, live, op), inputs);
      return { id: idOf(live), outputs };
    } catch (error) {
      const latest = await this.cluster.get(live).catch(() => undefined);
      throw new NotReady((error as Error).message, { id: idOf(live), outputs: recorded(latest ?? live, inputs) });
    }
  }

  async create(op: Operation, inputs: Properties): Promise<Created> {
    if (op.preview) return { id: "", outputs: await this.previewed(inputs, true) };
    const object: KubeObject = plain(inputs);
    const upsert = String(this.settings.upsertExistingObjects) === "true" || op.takeOver;
    if (!upsert && (await this.cluster.get(object)) !== undefined)
      throw new Error(
        `${object.kind} ${idOf(object)} exists already: delete it, or set upsertExistingObjects on the provider to take it over`,
      );
    return this.ready(op, await this.apply(object, { force: isForced(object) }), inputs);
  }

  async update(op: Operation, old: Resource, inputs: Properties): Promise<Properties> {
    if (op.preview) return this.previewed(inputs, false);
    const object = await this.withIgnored(plain(inputs), op.ignored);
    await this.takeFields(object);
    const live = await this.apply(object, { force: isForced(object) });
    const before = managerOf(plain(old.inputs));
    if (before !== managerOf(object)) await this.release(object, before);
    return (await this.ready(op, live, inputs)).outputs;
  }

  /** An object to apply, which leaves as it is what is to be ignored, whoever has changed it. */
  private async withIgnored(object: KubeObject, ignored: readonly Path[]): Promise<KubeObject> {
    return ignored.length === 0 ? object : taken((await this.cluster.get(object)) ?? object, object, ignored);
  }

  /** What the server would make of it; the inputs alone where it can't say yet. */
  private async previewed(inputs: Properties, isNew: boolean): Promise<Properties> {
    if (hasUnknown(inputs)) return inputs;
    try {
      const live = await this.apply(plain(inputs), { force: true, dryRun: true });
      if (!isNew) return recorded(live, inputs);
      const { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, ...metadata } = live.metadata;
      const { status: _s, ...rest } = live;
      return recorded({ ...rest, metadata }, inputs);
    } catch (error) {
      const refused = error instanceof ApiError && (error.code === 403 || /immutable/.test(error.message));
      if (isGone(error) || refused) return inputs;
      throw error;
    }
  }

  async remove(op: Operation, old: Resource): Promise<void> {
    const live: KubeObject = plain(old.outputs);
    const options = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" };
    try {
      await this.cluster.send("DELETE", pathOf(live), options);
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
    if (!skipsAwait(live)) await untilGone(this.cluster, live, op);
  }

  async read(old: Resource): Promise<Properties | undefined> {
    const live = await this.cluster.get(plain(old.outputs));
    return live === undefined ? undefined : recorded(live, old.inputs);
  }
}
