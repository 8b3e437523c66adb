import { isDeepStrictEqual } from "node:util";
import { appContainer, type Container, type Deployment, isOurs, type LiveObjects } from "../cluster/objects.ts";
import { unity } from "../manifests/app.ts";
import { backendResources } from "../manifests/backend.ts";
import { preservedAnnotation } from "../manifests/names.ts";
import type { PlainPodConfig } from "../manifests/pod-config.ts";
import { mergePodConfigs } from "../manifests/pod-merge.ts";
import {
  podConfigErrors,
  reservedAnnotations,
  reservedContainers,
  reservedLabels,
  reservedVariables,
  reservedVolumes,
} from "../manifests/pod-rules.ts";
import { type PodSecurityLevel, podSecurityLevels, temporary } from "../manifests/security.ts";
import type { Settings } from "../settings/settings.ts";
import { configOf, filterParts, type PodPart, partName, partsOf } from "./pod-parts.ts";
import { preserve } from "./preserve.ts";

/** Whether a part is an annotation of kubectl or of a controller, which describes an earlier rollout. */
export function isRolloutAnnotation(kind: string, key: string): boolean {
  return kind === "annotation" && /^(kubectl|deployment)\.kubernetes\.io\//.test(key);
}

/** Volumes whose content is each pod's own, or is read only: any number of pods can have them. */
const sharedVolumes = ["configMap", "secret", "projected", "downwardAPI", "emptyDir"];

/** Whether a container runs Alembic, which does not take the advisory lock. */
export function runsAlembic({ command = [], args = [] }: Pick<Container, "command" | "args">): boolean {
  return [...command, ...args].some((arg) => /\balembic\b/.test(arg));
}

/**
 * Returns the configuration of an adopted Deployment's pods that its manifests preserve: the existing Deployment's, and
 * at every later update the one that its annotation records.
 *
 * @param dropped - Names of parts to drop.
 * @returns `undefined` if there is nothing to preserve.
 */
export function preservedPod(
  live: Pick<LiveObjects, "backend" | "service">,
  dropped: readonly string[] = [],
): PlainPodConfig | undefined {
  const { backend } = live;
  if (backend === undefined) return undefined;
  // Labels that selectors require are preserved with the selectors.
  const selected = Object.keys(preserve(live).podLabels ?? {});
  const found = isOurs(backend) ? recordedPod(backend) : existingPod(backend, selected);
  const config = filterParts(found ?? {}, (part) => !dropped.includes(partName(part)));
  return Object.keys(config).length > 0 ? config : undefined;
}

/** Returns the recorded configuration; `null` if it is invalid. */
function recordedPod({ metadata }: Deployment): PlainPodConfig | undefined | null {
  const text = metadata.annotations?.[preservedAnnotation];
  if (text === undefined) return undefined;
  try {
    const config: unknown = JSON.parse(text);
    return typeof config === "object" && !Array.isArray(config) ? config : null;
  } catch {
    return null;
  }
}

/** Returns what an existing Deployment's pods have in addition to what the project declares. */
function existingPod(backend: Deployment, selected: readonly string[]): PlainPodConfig | undefined {
  const app = appContainer(backend);
  if (app === undefined) return undefined;
  const { resources, ...config } = configOf(backend.spec.template, app);
  const parts = filterParts(config, (part) => !isOwn(part, selected) && !migrates(part));
  const { requests, limits } = resources ?? {};
  const kept = { ...(requests && { requests }), ...(limits && { limits }) };
  // The defaults of the project don't apply to them: a limit that the pods didn't have may end them.
  return isDeepStrictEqual(kept, backendResources) ? parts : { ...parts, resources: kept };
}

/** Whether the project decides a part of the pods itself. */
function isOwn({ kind, key, value }: PodPart, selected: readonly string[]): boolean {
  switch (kind) {
    case "env":
      return reservedVariables.includes(key);
    case "label":
      return [...reservedLabels, ...selected, "pod-template-hash"].includes(key);
    case "annotation":
      return reservedAnnotations.includes(key) || isRolloutAnnotation(kind, key);
    case "container":
    case "initContainer":
      return reservedContainers([unity.backend]).includes(key);
    case "volume":
      return reservedVolumes.includes(key) || (key === temporary.volume.name && !isLimited(value as object));
    case "mount":
      return isDeepStrictEqual(value, temporary.mount);
    case "serviceAccountName":
      return value === "default" || value === unity.accounts.backend;
    case "userId":
      return value === 0 || value === unity.userId;
    default:
      return false;
  }
}

/** Whether a volume is another `tmp` than the project's, and writable like it. */
function isLimited(volume: object): boolean {
  const { emptyDir } = volume as { readonly emptyDir?: object };
  return emptyDir !== undefined && Object.keys(emptyDir).length > 0;
}

/** Whether a part of the pods migrates the database itself. */
function migrates({ kind, value }: PodPart): boolean {
  if (kind === "command") return runsAlembic({ command: value as string[] });
  if (kind === "args") return runsAlembic({ args: value as string[] });
  return (kind === "initContainer" || kind === "container") && runsAlembic(value as Container);
}

/** Returns what the migration Job's pod gets: what env.py may need, without containers that end and volumes of one pod. */
function ofMigration(config: PlainPodConfig): PlainPodConfig {
  const { env, envFrom, volumeMounts, volumes, imagePullSecrets, initContainers } = config;
  const { nodeSelector, tolerations, affinity, priorityClassName } = config;
  const all = {
    ...{ env, envFrom, volumeMounts, volumes, imagePullSecrets, initContainers },
    ...{ nodeSelector, tolerations, affinity, priorityClassName },
  };
  return filterParts(all, ({ kind, value }) => {
    if (kind === "initContainer") return (value as Container).restartPolicy === "Always";
    return kind !== "volume" || Object.keys(value as object).some((key) => sharedVolumes.includes(key));
  });
}

/** Merges a preserved configuration with that of the settings, which wins. */
function mergePreserved(preserved: PlainPodConfig, own: PlainPodConfig): PlainPodConfig {
  const isNew = <T>(list: readonly T[] | undefined) => {
    return (item: T) => !list?.some((other) => isDeepStrictEqual(other, item));
  };
  const { envFrom, tolerations, serviceAccountName, ...others } = preserved;
  const base: PlainPodConfig = {
    ...others,
    envFrom: envFrom?.filter(isNew(own.envFrom)),
    tolerations: tolerations?.filter(isNew(own.tolerations)),
  };
  const hasOwnAccount = own.serviceAccountAnnotations !== undefined || serviceAccountName === undefined;
  return mergePodConfigs(hasOwnAccount ? base : { ...base, serviceAccountName }, own);
}

/** Returns the settings with the preserved configuration of the backend's pods, and with its parts that the Job needs. */
export function withPreservedPod(settings: Settings, preserved: PlainPodConfig | undefined): Settings {
  if (preserved === undefined) return settings;
  const { backend, migration } = settings.pods;
  const pods = {
    ...settings.pods,
    backend: mergePreserved(preserved, backend),
    migration: mergePreserved(ofMigration(preserved), migration),
  };
  return { ...settings, pods };
}

/** Lists why the configuration of existing pods can't be preserved, with the fix. Values of variables are not shown. */
export function preservedPodRejections(
  backend: Deployment | undefined,
  preserved: PlainPodConfig | undefined,
  level: PodSecurityLevel,
  dropped: readonly string[],
): readonly string[] {
  if (backend === undefined) return [];
  const object = `deployment/${backend.metadata.name}`;
  if (isOurs(backend) && recordedPod(backend) === null)
    return [
      `${object}: annotation ${preservedAnnotation} is not a JSON object, so the preserved configuration is unknown. ` +
        "Restore it, or remove the annotation and configure the pods: see docs/how-to/configure-pods.md",
    ];
  const rejected = unmatchedNames(backend, object, dropped);
  if (preserved === undefined) return rejected;
  const errorsAt = (at: PodSecurityLevel) => podConfigErrors(preserved, { pods: "backend", level: at });
  const errors = errorsAt(level);
  if (errors.length === 0) return rejected;
  const found = errors.map(({ path, allowed }) => ({ ...partAt(preserved, path), allowed }));
  const names = [...new Set([...dropped, ...found.map(({ name }) => name)])];
  const accepting = podSecurityLevels.find((each) => errorsAt(each).length === 0);
  const waive = accepting === undefined ? "" : ` To allow it, run: pulumi config set podSecurityStandard ${accepting}.`;
  return [
    ...rejected,
    `${object} can't be adopted with ${found.map(({ name, field, allowed }) => `${name}: ${field} must be ${allowed}`).join("; ")}.` +
      `${waive} To adopt the Deployment without it, run: pulumi config set adoptWithout ${names.join(",")}`,
  ];
}

/** Returns the part that a path such as `volumes[0].hostPath` leads to, and the field in it. */
function partAt(config: PlainPodConfig, path: string): { readonly name: string; readonly field: string } {
  const [, property = "", index, rest = ""] = /^(\w+)(?:\[(\d+)\])?\.?(.*)$/.exec(path) ?? [];
  const value = Reflect.get(config, property);
  const [part] = partsOf({ [property]: index === undefined ? value : [value[Number(index)]] });
  return { name: part === undefined ? property : partName(part), field: rest || property };
}

/** Rejects names that an existing Deployment doesn't have; later updates have dropped them already. */
function unmatchedNames(backend: Deployment, object: string, dropped: readonly string[]): readonly string[] {
  if (isOurs(backend)) return [];
  const app = appContainer(backend);
  const known = app === undefined ? [] : partsOf(configOf(backend.spec.template, app)).map(partName);
  const unknown = dropped.filter((name) => !known.includes(name));
  if (unknown.length === 0) return [];
  return [
    `unity:adoptWithout names ${unknown.join(", ")}, which ${object} doesn't have. It has ${known.join(", ")}. ` +
      "Run: pulumi config set adoptWithout <kind>/<name>,<kind>/<name>",
  ];
}
