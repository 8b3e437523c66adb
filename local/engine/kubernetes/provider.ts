import { type ManagedFields, transferOwnership } from "../../../src/adoption/field-ownership.ts";
import { diff, isWithin, type Path, prune, withValuesAt } from "../diff.ts";
import { unsupported } from "../errors.ts";
import { type Created, type Difference, NotReady, type Operation, type Provider } from "../provider.ts";
import type { Resource } from "../state.ts";
import { annotateSecrets, hasUnknown, type Properties, plain } from "../values.ts";
import { ApiError, Cluster, isNotFound, type KubeObject, pathOf } from "./client.ts";
import { fieldManager, isForced, isNamespaced, needsReplacement, rejectUnsupported, skipsAwait } from "./kinds.ts";
import { untilDeleted, untilReady } from "./wait.ts";

/** The provider's settings that the engine supports. */
const supportedSettings = [
  "context",
  "kubeconfig",
  "namespace",
  "upsertExistingObjects",
  "enableSecretMutable",
  "version",
];

/** Whether the provider takes a manager's fields in an update, because the same operator applied them before. */
function isPreviousManager({ manager = "", operation }: ManagedFields): boolean {
  if (manager.startsWith("kubectl")) return true;
  return operation === "Update" && /^(before-first-apply|pulumi-(resource-)?kubernetes)/.test(manager);
}

const objectOf = (properties: Properties): KubeObject => plain(properties) as unknown as KubeObject;
const idOf = ({ metadata: { name = "", namespace } }: KubeObject): string =>
  namespace ? `${namespace}/${name}` : name;

function outputsOf(live: KubeObject, inputs: Properties): Properties {
  const { managedFields: _, ...metadata } = live.metadata;
  return annotateSecrets({ ...live, metadata } as unknown as Properties, inputs);
}

/** Manages Kubernetes objects by server-side apply. */
export class Kubernetes implements Provider {
  private readonly cluster: Cluster;
  private readonly settings: Properties;

  /** @param inputs - The provider resource's inputs. */
  constructor(inputs: Properties) {
    this.settings = plain(inputs);
    const other = Object.keys(this.settings).find((key) => !supportedSettings.includes(key));
    if (other !== undefined) throw unsupported(`the Kubernetes provider's ${other}`);
    this.cluster = new Cluster(this.settings);
  }

  check(inputs: Properties): Properties {
    const object = objectOf(inputs);
    rejectUnsupported(object);
    const metadata = { ...(inputs.metadata as Properties) };
    if (isNamespaced(object)) metadata.namespace ??= this.settings.namespace ?? "default";
    return annotateSecrets({ ...inputs, metadata }, inputs);
  }

  diff(old: Resource, inputs: Properties, ignored: readonly Path[]): Difference {
    const declared = diff(old.inputs, inputs);
    const drift = old.applied === undefined ? [] : diff(prune(old.outputs, old.inputs), prune(old.applied, old.inputs));
    const onlyDrift = drift.filter(({ path }) => !declared.some((change) => String(change.path) === String(path)));
    const changes = [...declared, ...onlyDrift].filter(({ path }) => !isWithin(path, ignored));
    const object = objectOf(inputs);
    const mutableSecrets = String(this.settings.enableSecretMutable) === "true";
    const replace = changes.some((change) => needsReplacement(change, object, mutableSecrets));
    return { changes, replace, deleteFirst: replace && idOf(objectOf(old.outputs)) === idOf(object) };
  }

  private apply(object: KubeObject, force: boolean, dryRun = false): Promise<KubeObject> {
    const query = `fieldManager=${fieldManager(object)}&force=${force}${dryRun ? "&dryRun=All" : ""}`;
    return this.cluster.send("PATCH", `${pathOf(object)}?${query}`, object, "application/apply-patch+yaml");
  }

  /** Takes the fields of previous managers, so that fields no longer declared are removed. */
  private async takeFields(object: KubeObject): Promise<void> {
    const live = await this.cluster.get(object);
    const entries = (live?.metadata.managedFields ?? []) as unknown as readonly ManagedFields[];
    const to = { manager: fieldManager(object), operation: "Apply" } as const;
    const managedFields = transferOwnership(entries, to, isPreviousManager);
    if (managedFields === undefined) return;
    const metadata = { resourceVersion: live?.metadata.resourceVersion, managedFields };
    await this.cluster.send("PATCH", pathOf(object), { metadata }, "application/merge-patch+json");
  }

  private async ready(op: Operation, live: KubeObject, inputs: Properties): Promise<Created> {
    const id = idOf(live);
    if (skipsAwait(live)) return { id, outputs: outputsOf(live, inputs) };
    try {
      return { id, outputs: outputsOf(await untilReady(this.cluster, live, op), inputs) };
    } catch (error) {
      const latest = await this.cluster.get(live).catch(() => undefined);
      throw new NotReady((error as Error).message, { id, outputs: outputsOf(latest ?? live, inputs) });
    }
  }

  async create(op: Operation, inputs: Properties): Promise<Created> {
    if (op.preview) return { id: "", outputs: await this.previewed(inputs, true) };
    const object = objectOf(inputs);
    const upsert = String(this.settings.upsertExistingObjects) === "true" || op.adopt;
    if (!upsert && (await this.cluster.get(object)) !== undefined)
      throw new Error(
        `${object.kind} ${idOf(object)} already exists: delete it, or set upsertExistingObjects on the provider to adopt it`,
      );
    return this.ready(op, await this.apply(object, isForced(object)), inputs);
  }

  async update(op: Operation, old: Resource, inputs: Properties): Promise<Properties> {
    if (fieldManager(objectOf(old.inputs)) !== fieldManager(objectOf(inputs)))
      throw unsupported("a change of the annotation pulumi.com/patchFieldManager");
    if (op.preview) return this.previewed(inputs, false);
    const object = await this.withIgnored(inputs, op.ignored);
    await this.takeFields(object);
    const live = await this.apply(object, isForced(object));
    return (await this.ready(op, live, inputs)).outputs;
  }

  /** Returns the object to apply, with the live values of ignored properties. */
  private async withIgnored(inputs: Properties, ignored: readonly Path[]): Promise<KubeObject> {
    const live = ignored.length === 0 ? undefined : await this.cluster.get(objectOf(inputs));
    if (live === undefined) return objectOf(inputs);
    return objectOf(withValuesAt(plain(inputs), live as unknown as Properties, ignored));
  }

  /** Returns the outputs of a dry run, or the inputs where the server can't run one yet. */
  private async previewed(inputs: Properties, isNew: boolean): Promise<Properties> {
    if (hasUnknown(inputs) || hasUnknown(this.settings)) return inputs;
    try {
      const live = await this.apply(objectOf(inputs), true, true);
      if (!isNew) return outputsOf(live, inputs);
      const { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, ...metadata } = live.metadata;
      const { status: _s, ...rest } = live as KubeObject & { status?: object };
      return outputsOf({ ...rest, metadata }, inputs);
    } catch (error) {
      const rejected = error instanceof ApiError && (error.code === 403 || /immutable/.test(error.message));
      if (isNotFound(error) || rejected) return inputs;
      throw error;
    }
  }

  async remove(op: Operation, old: Resource): Promise<void> {
    const live = objectOf(old.outputs);
    const options = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" };
    try {
      await this.cluster.send("DELETE", pathOf(live), options);
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (!skipsAwait(live)) await untilDeleted(this.cluster, live, op);
  }

  async read(old: Resource): Promise<Properties | undefined> {
    const live = await this.cluster.get(objectOf(old.outputs));
    return live === undefined ? undefined : outputsOf(live, old.inputs);
  }
}
