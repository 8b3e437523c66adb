import { randomBytes } from "node:crypto";
import { diff, prune } from "../diff.ts";
import { type Created, NotReady, type Operation, type Provider } from "../provider.ts";
import type { Resource } from "../state.ts";
import { annotateSecrets, hasUnknown, type Properties, plain } from "../values.ts";
import { ApiError, Cluster, isGone, type KubeObject } from "./client.ts";
import { needsNew } from "./force-new.ts";
import { untilGone, untilReady } from "./wait.ts";

/** The provider's own settings that this engine follows; any other is refused. */
const known = [
  "context",
  "kubeconfig",
  "namespace",
  "upsertExistingObjects",
  "enableServerSideApply",
  "enablePatchForce",
];
const quiet = [
  "enableConfigMapMutable",
  "enableSecretMutable",
  "suppressDeprecationWarnings",
  "suppressHelmHookWarnings",
  "version",
];
const clusterWide =
  /^(Namespace|Node|PersistentVolume|Cluster(Role|RoleBinding)|StorageClass|PriorityClass|RuntimeClass|IngressClass|CSIDriver|CustomResourceDefinition|APIService|(Validating|Mutating)\w+)$/;
const waitsForNothing = ["pulumi.com/waitFor", "pulumi.com/replaceUnready"];
const fieldManager = "pulumi-kubernetes";
const autonamed = "pulumi.com/autonamed";
const keepsOldWait = ["Namespace", "Pod", "DaemonSet", "Deployment", "StatefulSet", "Job"];
/** Managers whose fields the provider takes over in an update, being earlier hands of the same operator. */
const ours = /^(kubectl|before-first-apply|pulumi-)/;

const isTrue = (value: unknown): boolean => value === true || value === "true";
const annotations = (inputs: KubeObject): KubeObject => inputs.metadata?.annotations ?? {};
const idOf = ({ metadata }: KubeObject): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;

function recorded(live: KubeObject, inputs: Properties): Properties {
  const { managedFields: _, ...metadata } = live.metadata;
  return annotateSecrets({ ...live, metadata }, inputs);
}

/** Kubernetes objects of any kind, by server-side apply. */
export class Kubernetes implements Provider {
  readonly cluster: Cluster;
  private readonly settings: Properties;

  /** @param inputs The provider resource's inputs; throws on a setting that is not supported. */
  constructor(inputs: Properties) {
    this.settings = plain(inputs);
    const unsupported = Object.keys(this.settings).filter((key) => ![...known, ...quiet].includes(key));
    if (unsupported.length > 0 || this.settings.enableServerSideApply === "false")
      throw new Error(
        `the Kubernetes provider's ${unsupported[0] ?? "enableServerSideApply: false"} is not supported by the embedded engine: use the Pulumi CLI`,
      );
    this.cluster = new Cluster(this.settings);
  }

  async check(op: Operation, inputs: Properties, old?: Properties): Promise<Properties> {
    const given = inputs as KubeObject;
    if (/^kubernetes:(helm|kustomize|yaml)|(Patch|List)$/.test(op.type) || typeof given.kind !== "string")
      throw new Error(`${op.type} is not supported by the embedded engine: use the Pulumi CLI`);
    const refused = waitsForNothing.find((key) => key in annotations(given));
    if (refused)
      throw new Error(`the annotation ${refused} is not supported by the embedded engine: use the Pulumi CLI`);
    const metadata: KubeObject = { ...given.metadata };
    const before = (old as KubeObject | undefined)?.metadata;
    if (metadata.generateName) throw new Error("metadata.generateName is not supported with server-side apply");
    if (metadata.name === undefined && (before === undefined || before.annotations?.[autonamed] === "true")) {
      metadata.name = before?.name ?? `${op.name}-${randomBytes(4).toString("hex")}`;
      metadata.annotations = { ...metadata.annotations, [autonamed]: "true" };
    }
    if (metadata.namespace === undefined && this.settings.namespace !== undefined && !clusterWide.test(given.kind))
      metadata.namespace = this.settings.namespace;
    return annotateSecrets({ ...inputs, metadata }, inputs);
  }

  diff(old: Resource, inputs: Properties) {
    const drift = old.applied === undefined ? [] : diff(prune(old.outputs, old.inputs), prune(old.applied, old.inputs));
    const said = diff(old.inputs, inputs);
    const changes = [
      ...said,
      ...drift.filter(({ path }) => !said.some((change) => String(change.path) === String(path))),
    ];
    const object = plain(inputs) as KubeObject;
    const mutable = isTrue(this.settings[object.kind === "Secret" ? "enableSecretMutable" : "enableConfigMapMutable"]);
    const replace = changes.some((change) => needsNew(change, object, mutable));
    const [was, is] = [(plain(old.outputs) as KubeObject).metadata, object.metadata];
    const same = was?.name === is.name && (was?.namespace ?? "default") === (is.namespace ?? "default");
    return { changes, replace, deleteFirst: replace && same && annotations(object)[autonamed] !== "true" };
  }

  private async apply(object: KubeObject, preview: boolean, force: boolean): Promise<KubeObject> {
    const query = `fieldManager=${fieldManager}&force=${force}${preview ? "&dryRun=All" : ""}`;
    return this.cluster.send(
      "PATCH",
      `${await this.cluster.path(object)}?${query}`,
      object,
      "application/apply-patch+yaml",
    );
  }

  private forced(object: KubeObject): boolean {
    return isTrue(annotations(object)["pulumi.com/patchForce"]) || isTrue(this.settings.enablePatchForce);
  }

  private async ready(op: Operation, live: KubeObject, inputs: Properties): Promise<KubeObject> {
    if (isTrue(annotations(live)["pulumi.com/skipAwait"])) return live;
    const seconds = op.timeoutSeconds ?? Number(annotations(live)["pulumi.com/timeoutSeconds"] ?? 600);
    try {
      return await untilReady(this.cluster, live, op, seconds);
    } catch (error) {
      const latest = await this.cluster.get(live).catch(() => undefined);
      throw new NotReady((error as Error).message, { id: idOf(live), outputs: recorded(latest ?? live, inputs) });
    }
  }

  async create(op: Operation, inputs: Properties): Promise<Created> {
    if (op.preview) return { id: "", outputs: await this.previewed(inputs, true) };
    const object = plain(inputs) as KubeObject;
    const upsert = isTrue(this.settings.upsertExistingObjects) || op.takeOver;
    if (!upsert && (await this.cluster.get(object)) !== undefined)
      throw new Error(
        `${object.kind} ${idOf(object)} exists already: delete it, or set upsertExistingObjects on the provider to take it over`,
      );
    const live = await this.ready(op, await this.apply(object, false, this.forced(object)), inputs);
    return { id: idOf(live), outputs: recorded(live, inputs) };
  }

  async update(op: Operation, old: Resource, inputs: Properties): Promise<Properties> {
    if (op.preview) return this.previewed(inputs, false);
    const object = plain(inputs) as KubeObject;
    const live = await this.apply(object, false, this.forced(object)).catch((error) => {
      const held = /conflicts? with "([^"]+)"/g;
      const managers =
        error instanceof ApiError && error.code === 409 ? [...error.message.matchAll(held)].map(([, by]) => by) : [];
      if (managers.length > 0 && managers.every((by) => ours.test(by ?? ""))) return this.apply(object, false, true);
      throw error;
    });
    try {
      return recorded(await this.ready(op, live, inputs), inputs);
    } catch (error) {
      throw error instanceof NotReady ? new NotReady(error.message, { ...error.created, id: old.id ?? "" }) : error;
    }
  }

  /** What the server would make of it; the inputs alone where it can't say yet. */
  private async previewed(inputs: Properties, isNew: boolean): Promise<Properties> {
    if (hasUnknown(inputs)) return inputs;
    try {
      const live = await this.apply(plain(inputs) as KubeObject, true, true);
      if (!isNew) return recorded(live, inputs);
      const { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, ...metadata } = live.metadata;
      const { status: _s, ...rest } = live;
      return recorded({ ...rest, metadata }, inputs);
    } catch (error) {
      const silent =
        isGone(error) || (error instanceof ApiError && (error.code === 403 || /immutable/.test(error.message)));
      if (silent) return inputs;
      throw error;
    }
  }

  async remove(op: Operation, old: Resource): Promise<void> {
    const live = plain(old.outputs) as KubeObject;
    const policy = annotations(live)["pulumi.com/deletionPropagationPolicy"]?.toLowerCase();
    const propagationPolicy = { orphan: "Orphan", background: "Background" }[policy as string] ?? "Foreground";
    try {
      await this.cluster.send("DELETE", await this.cluster.path(live), {
        apiVersion: "v1",
        kind: "DeleteOptions",
        propagationPolicy,
      });
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
    const skips = isTrue(annotations(live)["pulumi.com/skipAwait"]) && keepsOldWait.includes(live.kind);
    if (!skips) await untilGone(this.cluster, live, op, op.timeoutSeconds ?? 600);
  }

  async read(old: Resource): Promise<Properties | undefined> {
    const live = await this.cluster.get(plain(old.outputs) as KubeObject);
    return live === undefined ? undefined : recorded(live, old.inputs);
  }
}
