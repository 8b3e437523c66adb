import { isDeepStrictEqual } from "node:util";
import type { Container, Deployment, PodSpec } from "../cluster/objects.ts";
import type { PlainPodConfig } from "../manifests/pod-config.ts";
import { temporary } from "../manifests/security.ts";

/** Template of a Deployment's pods. */
export type PodTemplate = Deployment["spec"]["template"];

/** Part of a pod's configuration that is preserved or dropped as a whole, such as one variable. */
export interface PodPart {
  /** Kind, in the singular: `volume`. */
  readonly kind: string;
  /** Name in its list or map; empty if there is one of the kind only. */
  readonly key: string;
  readonly value: unknown;
}

type Item = Readonly<Record<string, unknown>>;

const byName = ({ name }: Item) => String(name);

/** Kind and key of the items of each list. */
const lists: Readonly<Partial<Record<keyof PlainPodConfig, readonly [kind: string, keyOf: (item: Item) => string]>>> = {
  env: ["env", byName],
  envFrom: ["envFrom", sourceName],
  volumeMounts: ["mount", ({ mountPath }) => String(mountPath)],
  volumes: ["volume", byName],
  initContainers: ["initContainer", byName],
  containers: ["container", byName],
  imagePullSecrets: ["imagePullSecret", byName],
  tolerations: ["toleration", tolerationName],
  topologySpreadConstraints: ["topologySpreadConstraint", ({ topologyKey }) => String(topologyKey)],
};

/** Kind of the entries of each map. */
const maps: Readonly<Partial<Record<keyof PlainPodConfig, string>>> = {
  labels: "label",
  annotations: "annotation",
  nodeSelector: "nodeSelector",
};

function sourceName({ secretRef, configMapRef, prefix }: Item): string {
  const [kind, reference] = secretRef === undefined ? ["configmap", configMapRef] : ["secret", secretRef];
  return `${prefix ?? ""}${kind}/${byName(reference as Item)}`;
}

function tolerationName({ key = "*", value, effect }: Item): string {
  return `${key}${value === undefined ? "" : `=${value}`}${effect === undefined ? "" : `:${effect}`}`;
}

/** Returns the configuration of existing pods as they are, with the project's own parts. */
export function configOf({ metadata, spec }: PodTemplate, app: Container): PlainPodConfig {
  const { env, envFrom, resources, volumeMounts, command, args } = app;
  const { imagePullSecrets, nodeSelector, tolerations, affinity, priorityClassName, topologySpreadConstraints } = spec;
  const { volumes, initContainers, serviceAccountName, securityContext } = spec;
  const config = {
    ...{ env, envFrom, resources, volumeMounts, command, args },
    labels: metadata?.labels,
    annotations: metadata?.annotations,
    serviceAccountName,
    userId: app.securityContext?.runAsUser ?? securityContext?.runAsUser,
    ...{ imagePullSecrets, nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName, volumes },
    initContainers,
    containers: spec.containers.filter((container) => container !== app),
  };
  return config as PlainPodConfig;
}

/** Returns the parts of a configuration. */
export function partsOf(config: PlainPodConfig): readonly PodPart[] {
  return Object.entries(config).flatMap(([property, value]): PodPart[] => {
    if (value === undefined || isDeepStrictEqual(value, {})) return [];
    const list = lists[property as keyof PlainPodConfig];
    if (list !== undefined) {
      const [kind, keyOf] = list;
      return (value as Item[]).map((item) => ({ kind, key: keyOf(item), value: item }));
    }
    const kind = maps[property as keyof PlainPodConfig];
    if (kind === undefined) return [{ kind: property, key: "", value }];
    return Object.entries(value).map(([key, text]) => ({ kind, key, value: text }));
  });
}

/** Returns the name of a part in the setting `adoptWithout`. */
export function partName({ kind, key }: Pick<PodPart, "kind" | "key">): string {
  return key === "" ? kind : `${kind}/${key}`;
}

/** Returns the parts that a predicate keeps, without mounts of volumes that it doesn't, and without empty properties. */
export function filterParts(config: PlainPodConfig, isKept: (part: PodPart) => boolean): PlainPodConfig {
  const dropped = partsOf(config).filter((part) => !isKept(part));
  const isDropped = (kind: string, key: string) => dropped.some((part) => part.kind === kind && part.key === key);
  const isMounted = ({ name }: Item) => name === temporary.volume.name || !isDropped("volume", String(name));
  const kept = Object.entries(config).flatMap(([property, value]): [string, unknown][] => {
    if (value === undefined) return [];
    const list = lists[property as keyof PlainPodConfig];
    if (list !== undefined) {
      const [kind, keyOf] = list;
      const items = (value as Item[]).filter((item) => !isDropped(kind, keyOf(item)));
      const usable = property === "volumeMounts" ? items.filter(isMounted) : items.map(withMounts(isMounted));
      return usable.length > 0 ? [[property, usable]] : [];
    }
    const kind = maps[property as keyof PlainPodConfig];
    if (kind === undefined) return isDropped(property, "") ? [] : [[property, value]];
    const entries = Object.entries(value).filter(([key]) => !isDropped(kind, key));
    return entries.length > 0 ? [[property, Object.fromEntries(entries)]] : [];
  });
  return Object.fromEntries(kept) as PlainPodConfig;
}

/** Returns a function that filters the mounts of a container; other items have none. */
function withMounts(isMounted: (mount: Item) => boolean): (item: Item) => Item {
  return (item) => {
    const { volumeMounts } = item as { readonly volumeMounts?: readonly Item[] };
    if (volumeMounts === undefined || volumeMounts.every(isMounted)) return item;
    return { ...item, volumeMounts: volumeMounts.filter(isMounted) };
  };
}

/** Values that Kubernetes sets where a manifest has none, and that differ from "not set". */
const defaults: Item = {
  automountServiceAccountToken: true,
  dnsPolicy: "ClusterFirst",
  enableServiceLinks: true,
  minReadySeconds: 0,
  restartPolicy: "Always",
  schedulerName: "default-scheduler",
  securityContext: {},
  strategy: "RollingUpdate",
  terminationGracePeriodSeconds: 30,
};

/** Fields that the configuration covers, that have a line of their own, or that decide nothing about the app. */
const covered: readonly (keyof PodSpec | keyof Container | keyof Deployment["spec"])[] = [
  ...(["volumes", "initContainers", "containers", "imagePullSecrets", "nodeSelector", "tolerations"] as const),
  ...(["affinity", "topologySpreadConstraints", "priorityClassName", "serviceAccountName", "serviceAccount"] as const),
  ...(["name", "image", "env", "envFrom", "resources", "volumeMounts", "command", "args"] as const),
  ...(["imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"] as const),
  ...(["replicas", "selector", "template", "progressDeadlineSeconds", "revisionHistoryLimit"] as const),
];

/** Returns the fields of a Deployment that no configuration of pods covers: they are the project's own. */
export function otherFields({ template, ...deployment }: Deployment["spec"], app: Container): readonly PodPart[] {
  const strategy = deployment.strategy?.type;
  const objects = { "spec.": template.spec, "": app, "deployment.": { ...deployment, strategy } };
  return Object.entries(objects).flatMap(([where, object]) =>
    Object.entries(object)
      .filter(([field]) => !(covered as readonly string[]).includes(field))
      .filter(([field, value]) => value !== undefined && !isDeepStrictEqual(value, defaults[field]))
      .map(([field, value]) => ({ kind: "field", key: `${where}${field}`, value })),
  );
}

/** Whether an object in the cluster has what a manifest declares. It also has Kubernetes' defaults. */
function matches(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(live) && live.length === wanted.length && wanted.every((part, index) => matches(live[index], part))
    );
  if (typeof wanted !== "object" || wanted === null) return live === wanted;
  const entries = Object.entries(wanted).filter(([, value]) => value !== undefined);
  return (
    typeof live === "object" && live !== null && entries.every(([key, part]) => matches(Reflect.get(live, key), part))
  );
}

/** Returns a changed part; for a container, with the fields that change, such as the security context that is required. */
function withChangedFields(part: PodPart, before: PodPart): PodPart {
  if (!part.kind.toLowerCase().endsWith("container")) return part;
  const entries = Object.entries(part.value as Item);
  const fields = entries.filter(([field, value]) => !matches(Reflect.get(before.value as Item, field), value));
  return { ...part, key: `${part.key} (${fields.map(([field]) => field).join(", ")})` };
}

/** Whether a part is a variable without a value: a container that lacks it sees the same. */
function isEmptyVariable({ kind, value }: PodPart): boolean {
  return kind === "env" && Object.keys(value as Item).length === 1;
}

/** Describes the parts that are added (`+`), changed (`~`), and removed (`-`), by their names only. */
export function partChanges(live: readonly PodPart[], wanted: readonly PodPart[]): readonly string[] {
  const find = (parts: readonly PodPart[], { kind, key }: PodPart) =>
    parts.find((part) => part.kind === kind && part.key === key);
  const changed = wanted.flatMap((part) => {
    const before = find(live, part);
    return before === undefined || matches(before.value, part.value) ? [] : [withChangedFields(part, before)];
  });
  const marked = (mark: string, parts: readonly PodPart[]) => formatParts(parts).map((line) => `${mark} ${line}`);
  return [
    ...marked(
      "-",
      live.filter((part) => find(wanted, part) === undefined),
    ),
    ...marked("~", changed),
    ...marked(
      "+",
      wanted.filter((part) => find(live, part) === undefined && !isEmptyVariable(part)),
    ),
  ];
}

/** Returns a line for each kind, with the names of its parts. */
export function formatParts(parts: readonly PodPart[]): readonly string[] {
  return [...Map.groupBy(parts, ({ kind }) => kind)].map(([kind, each]) => {
    const keys = [...new Set(each.map(({ key }) => key))].filter((key) => key !== "");
    return `${kind} ${keys.join(", ")}`.trimEnd();
  });
}
