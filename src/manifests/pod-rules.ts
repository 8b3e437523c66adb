import { posix } from "node:path";
import { databaseCa } from "./database-tls.ts";
import {
  appLabel,
  databaseSecretAnnotation,
  defaultContainerAnnotation,
  headAnnotation,
  nameLabel,
  partOfLabel,
  planAnnotation,
} from "./names.ts";
import { addedContainers, type ContainerConfig, type PodConfig } from "./pod-config.ts";
import { keyOf, listKeys } from "./pod-merge.ts";
import { type StandardViolation, standardViolations } from "./pod-security-standard.ts";
import { restorePointContainerName, restorePointsVolumeName } from "./restore-points.ts";
import { runnerNames, runnerPath } from "./runner.ts";
import { type PodSecurityLevel, temporary } from "./security.ts";
import { tenantLabel } from "./tenant.ts";

/** Error in the configuration of a pod. */
export interface PodConfigError extends StandardViolation {
  /** Value that is valid; `undefined` if the property has to be removed. */
  readonly example?: string;
}

/** Pods that a configuration is for. The gate is a container of the backend's pods; `common` is for all. */
export type ConfiguredPods = "common" | "backend" | "gate" | "migration";

/** Options of {@link podConfigErrors}. */
interface PodRules {
  readonly pods: ConfiguredPods;
  readonly level: PodSecurityLevel;
  /** Configuration that this one is merged into, and its path. */
  readonly shared?: { readonly path: string; readonly config: PodConfig };
  /** Labels that the selectors of adopted objects require. */
  readonly selected?: readonly string[];
  /** Names of containers that the pods have already. */
  readonly containers?: readonly string[];
}

/** Variables of this project's containers. They lead to the database, verify it, and decide what the runner does. */
export const reservedVariables: readonly string[] = [
  "DATABASE_URL",
  "MIGRATION_DATABASE_URL",
  "APPLICATION_DATABASE_URL",
  "PGSSLMODE",
  "PGSSLROOTCERT",
  "TOLERATED_REVISIONS",
  "MIGRATION_IMAGE",
  "MIGRATION_PLAN",
];

/** Variables with which libpq connects to another server than DATABASE_URL. The runner rejects those of envFrom. */
export const serverVariables: readonly string[] = ["PGHOSTADDR", "PGSERVICE"];

/** Volumes of this project's pods. `tmp` is not among them: its type and size may change. */
export const reservedVolumes: readonly string[] = [runnerNames.volume, databaseCa.volume, restorePointsVolumeName];

/** Returns the names that no added container may have. @param own - Names of containers that the pods have already. */
export function reservedContainers(own: readonly string[]): readonly string[] {
  return [...own, runnerNames.container, restorePointContainerName];
}

/** Folders that only this project mounts. */
const reservedFolders: readonly string[] = [runnerPath, databaseCa.mountPath];

/** Labels and annotations of this project's pods. */
export const reservedLabels: readonly string[] = [nameLabel, partOfLabel, tenantLabel, appLabel];
export const reservedAnnotations: readonly string[] = [
  planAnnotation,
  databaseSecretAnnotation,
  defaultContainerAnnotation,
  headAnnotation,
];

/**
 * Returns what a configuration may not contain: whatever would replace a part of the pod that its safety depends on, or
 * that violates the level of the Pod Security Standards. The errors contain no values of variables.
 */
export function podConfigErrors(config: PodConfig, rules: PodRules): readonly PodConfigError[] {
  const { pods, level, shared, selected = [], containers: own = [] } = rules;
  const { command, args, labels = {}, annotations = {}, volumes = [] } = config;
  const errors: PodConfigError[] = [];
  const all = [...volumes, ...(shared?.config.volumes ?? []), temporary.volume];
  const known = [...new Set(all.map(({ name }) => name))];
  errors.push(...repeatedItems(config), ...containerErrors(config));
  errors.push(...mountErrors("volumeMounts", config.volumeMounts, known));
  for (const [path, value] of Object.entries({ command, args })) {
    const allowed = "left out: only the app's container has a command, the others run the runner";
    if (value !== undefined && pods !== "backend") errors.push({ path, value, allowed });
  }
  if (config.containers !== undefined && pods !== "backend") {
    const allowed = "left out: only the backend's pods have other containers; in other pods, use a native sidecar";
    errors.push({ path: "containers", value: config.containers.map(({ name }) => name), allowed });
  }
  errors.push(...reservedKeys("labels", labels, [...reservedLabels, ...selected]));
  errors.push(...reservedKeys("annotations", annotations, reservedAnnotations));
  for (const [index, { name }] of volumes.entries())
    errors.push(...reservedName(`volumes[${index}].name`, name, reservedVolumes));
  const containers = reservedContainers(own);
  for (const list of addedContainers)
    for (const [index, { name, volumeMounts }] of (config[list] ?? []).entries()) {
      errors.push(...reservedName(`${list}[${index}].name`, name, containers));
      errors.push(...mountErrors(`${list}[${index}].volumeMounts`, volumeMounts, known));
    }
  errors.push(...accountErrors(config, shared), ...standardViolations(config, level));
  return errors;
}

/** Returns the outputs in a configuration of a Job, whose name depends on all of it but its service account. */
export function outputErrors({ serviceAccountAnnotations: _, ...config }: PodConfig): readonly PodConfigError[] {
  const allowed = "a plain value, because the Job's name depends on it";
  return outputPaths(config, "").map((path) => ({ path, value: "an output", allowed }));
}

function outputPaths(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  if ("__pulumiOutput" in value || value instanceof Promise) return [path];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, part]) => {
    const step = isList ? `[${key}]` : `${path === "" ? "" : "."}${key}`;
    return outputPaths(part, `${path}${step}`);
  });
}

function containerErrors({ env = [], volumeMounts = [] }: ContainerConfig): PodConfigError[] {
  const errors = env.flatMap(({ name }, index) => reservedName(`env[${index}].name`, name, reservedVariables));
  for (const [index, { name }] of env.entries()) {
    const allowed = "left out, because libpq would connect to another server than DATABASE_URL";
    if (serverVariables.includes(name)) errors.push({ path: `env[${index}].name`, value: name, allowed });
  }
  for (const [index, { mountPath }] of volumeMounts.entries()) {
    const path = posix.resolve("/", mountPath);
    const reserved = reservedFolders.find((folder) => path === folder || path.startsWith(`${folder}/`));
    const allowed = `a folder outside ${reserved}, which contains files of this project`;
    if (reserved !== undefined)
      errors.push({ path: `volumeMounts[${index}].mountPath`, value: mountPath, allowed, example: "<folder>" });
  }
  return errors;
}

function mountErrors(
  path: string,
  mounts: readonly { readonly name: string }[] = [],
  known: readonly string[],
): PodConfigError[] {
  return mounts.flatMap(({ name }, index) => {
    if (known.includes(name)) return [];
    const allowed = `one of the configured volumes: ${known.join(", ")}`;
    return [{ path: `${path}[${index}].name`, value: name, allowed, example: temporary.volume.name }];
  });
}

function reservedName(path: string, value: string, reserved: readonly string[]): PodConfigError[] {
  if (!reserved.includes(value)) return [];
  return [{ path, value, allowed: `a name other than this project's own: ${reserved.join(", ")}`, example: "<name>" }];
}

function reservedKeys(path: string, map: object, reserved: readonly string[]): PodConfigError[] {
  const found = Object.entries(map).filter(([key]) => reserved.includes(key));
  const allowed = `left out: ${path} of this project's own are ${reserved.join(", ")}`;
  return found.map(([key, value]) => ({ path: `${path}["${key}"]`, value, allowed }));
}

/** Returns the items whose key another one of the same list has: one of them would be lost. */
function repeatedItems(config: object, prefix = ""): PodConfigError[] {
  const errors: PodConfigError[] = [];
  for (const list of Object.keys(listKeys) as (keyof typeof listKeys)[]) {
    const items: unknown = Reflect.get(config, list);
    if (!Array.isArray(items)) continue;
    const [keys, key] = [items.map((item: object) => keyOf(list, item)), listKeys[list]];
    for (const [index, item] of items.entries()) {
      const first = keys.indexOf(keys[index]);
      if (first === index) continue;
      const allowed = `unique: ${prefix}${list}[${first}] has the same`;
      errors.push({ path: `${prefix}${list}[${index}].${key}`, value: item[key], allowed, example: `<${key}>` });
    }
    if (!addedContainers.some((name) => name === list)) continue;
    for (const [index, item] of items.entries()) errors.push(...repeatedItems(item, `${prefix}${list}[${index}].`));
  }
  return errors;
}

function accountErrors(config: PodConfig, shared: PodRules["shared"]): PodConfigError[] {
  const { serviceAccountAnnotations, userId } = config;
  const errors: PodConfigError[] = [];
  const [path, other] =
    serviceAccountAnnotations === undefined
      ? (["serviceAccountName", "serviceAccountAnnotations"] as const)
      : (["serviceAccountAnnotations", "serviceAccountName"] as const);
  const isOwn = config[other] !== undefined;
  if (config[path] !== undefined && (isOwn || shared?.config[other] !== undefined)) {
    const place = isOwn ? other : `${other} of ${shared?.path}`;
    const allowed = `left out with ${place}: the project doesn't annotate existing service accounts`;
    errors.push({ path, value: config[path], allowed });
  }
  const isUser = userId === undefined || userId === "none" || (Number.isInteger(userId) && userId > 0);
  if (!isUser)
    errors.push({ path: "userId", value: userId, allowed: 'an integer greater than 0, or "none"', example: "none" });
  return errors;
}
