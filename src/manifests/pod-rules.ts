import { posix } from "node:path";
import { type App, unity } from "./app.ts";
import { databaseCa } from "./database-tls.ts";
import {
  databaseSecretAnnotation,
  defaultContainerAnnotation,
  nameLabel,
  partOfLabel,
  planAnnotation,
} from "./names.ts";
import { addedContainers, type ContainerConfig, type PodConfig } from "./pod-config.ts";
import { type StandardViolation, standardViolations } from "./pod-security-standard.ts";
import { restorePointContainerName, restorePointsVolume } from "./restore-points.ts";
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
  /** Volumes of the pods from another configuration. */
  readonly volumes?: readonly string[];
  /** Labels that the selectors of adopted objects require. */
  readonly selected?: readonly string[];
  readonly app?: App;
}

/** Variables of this project's containers. They lead to the database, verify it, and decide what the runner does. */
export const reservedVariables: readonly string[] = [
  "DATABASE_URL",
  "MIGRATION_DATABASE_URL",
  "APPLICATION_DATABASE_URL",
  "PGSSLMODE",
  "PGSSLROOTCERT",
  "TOLERATED_REVISIONS",
  "UNITY_IMAGE",
  "UNITY_PLAN",
];

/** Volumes of this project's pods. `tmp` is not among them: its type and size may change. */
export const reservedVolumes: readonly string[] = [runnerNames.volume, databaseCa.volume, restorePointsVolume.name];

/** Returns the names of this project's containers. */
export function reservedContainers({ backend }: App = unity): readonly string[] {
  return [backend, runnerNames.container, restorePointContainerName];
}

/** Folders that only this project mounts. */
const reservedFolders: readonly string[] = [runnerPath, databaseCa.mountPath];

/** Labels and annotations of this project's pods. */
export const reservedLabels: readonly string[] = [nameLabel, partOfLabel, tenantLabel];
export const reservedAnnotations: readonly string[] = [
  planAnnotation,
  databaseSecretAnnotation,
  defaultContainerAnnotation,
];

/**
 * Returns what a configuration may not contain: whatever would replace a part of the pod that its safety depends on, or
 * that violates the level of the Pod Security Standards. The errors contain no values of variables.
 */
export function podConfigErrors(config: PodConfig, rules: PodRules): readonly PodConfigError[] {
  const { pods, level, volumes: others = [], selected = [], app = unity } = rules;
  const { command, args, labels = {}, annotations = {}, volumes = [] } = config;
  const errors: PodConfigError[] = [];
  const known = [...volumes.map(({ name }) => name), ...others, temporary.volume.name];
  errors.push(...containerErrors(config), ...mountErrors("volumeMounts", config.volumeMounts, known));
  for (const [path, value] of Object.entries({ command, args })) {
    const allowed = "left out: only the app's container has a command, the others run the runner";
    if (value !== undefined && pods !== "backend") errors.push({ path, value, allowed });
  }
  if (config.containers !== undefined && pods !== "backend") {
    const allowed = "left out: only the backend's pods have other containers; elsewhere, use a native sidecar";
    errors.push({ path: "containers", value: config.containers.map(({ name }) => name), allowed });
  }
  errors.push(...reservedKeys("labels", labels, [...reservedLabels, ...selected]));
  errors.push(...reservedKeys("annotations", annotations, reservedAnnotations));
  for (const [index, { name }] of volumes.entries())
    errors.push(...reservedName(`volumes[${index}].name`, name, reservedVolumes));
  for (const list of addedContainers)
    for (const [index, { name, volumeMounts }] of (config[list] ?? []).entries()) {
      errors.push(...reservedName(`${list}[${index}].name`, name, reservedContainers(app)));
      errors.push(...mountErrors(`${list}[${index}].volumeMounts`, volumeMounts, known));
    }
  errors.push(...accountErrors(config), ...standardViolations(config, level));
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

function accountErrors(config: PodConfig): PodConfigError[] {
  const { serviceAccountName, serviceAccountAnnotations, userId } = config;
  const errors: PodConfigError[] = [];
  if (serviceAccountName !== undefined && serviceAccountAnnotations !== undefined) {
    const allowed = "left out with serviceAccountName: the project doesn't annotate existing service accounts";
    errors.push({ path: "serviceAccountAnnotations", value: serviceAccountAnnotations, allowed });
  }
  const isUser = userId === undefined || userId === "none" || (Number.isInteger(userId) && userId > 0);
  if (!isUser)
    errors.push({ path: "userId", value: userId, allowed: 'an integer greater than 0, or "none"', example: "none" });
  return errors;
}
