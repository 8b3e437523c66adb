import { names } from "../manifests/names.ts";
import type { PlainPlacement, PlainPodConfig } from "../manifests/pod-config.ts";
import { mergeContainerConfigs, mergePodConfigs, placementOf } from "../manifests/pod-merge.ts";
import { type ConfiguredPods, podConfigErrors } from "../manifests/pod-rules.ts";
import type { PodSecurityLevel } from "../manifests/security.ts";
import { type Form, fields, type PathError, parseForm, podFields } from "./pod-forms.ts";
import type { PodSettings } from "./settings.ts";

/** Pods that have settings of their own, and the form of each. */
const podSettings: Readonly<Record<ConfiguredPods, Form>> = {
  common: fields(podFields("pod")),
  backend: fields(podFields("pod")),
  gate: fields(podFields("container")),
  migration: fields(podFields("pod")),
};

/**
 * Parses the configuration of a stack's pods, and merges what is common to all into that of each.
 *
 * @param value - Value of the setting `pods`; `undefined` if it is not set.
 * @returns Configurations without changes if there are errors.
 */
export function parsePods(
  value: unknown,
  level: PodSecurityLevel,
): { readonly pods: PodSettings; readonly errors: readonly PathError[] } {
  const errors: PathError[] = [];
  const parsed = parseForm(fields(podSettings), value ?? {}, "pods", errors);
  const configs = (errors.length > 0 ? {} : parsed) as Partial<Record<ConfiguredPods, PlainPodConfig>>;
  const { common = {}, backend = {}, gate = {}, migration = {} } = configs;
  for (const [pods, config] of Object.entries({ common, backend, gate, migration })) {
    const containers = [names.backend];
    const shared = { path: "pods.common", config: sharedConfig(pods as ConfiguredPods, configs) };
    for (const error of podConfigErrors(config, { pods: pods as ConfiguredPods, level, shared, containers }))
      errors.push({ ...error, path: `pods.${pods}.${error.path}` });
  }
  if (errors.length > 0) return { pods: { backend: {}, gate: {}, migration: {}, database: undefined }, errors };
  const { resources, securityContext } = common;
  const placement = placementOf(common) as PlainPlacement;
  return {
    pods: {
      backend: mergePodConfigs(common, backend),
      // Its variables and mounts are those of the backend, which contain the common ones.
      gate: mergeContainerConfigs({ resources, securityContext }, gate) as PodSettings["gate"],
      migration: mergePodConfigs(common, migration),
      database: Object.keys(placement).length > 0 ? placement : undefined,
    },
    errors,
  };
}

/** Returns what other parts of the setting configure for the same pods. */
function sharedConfig(pods: ConfiguredPods, configs: Partial<Record<ConfiguredPods, PlainPodConfig>>): PlainPodConfig {
  const { common = {}, backend = {}, migration = {} } = configs;
  if (pods === "gate") return mergePodConfigs(common, backend);
  if (pods !== "common") return common;
  const { volumes = [] } = migration;
  return { volumes: (backend.volumes ?? []).filter(({ name }) => volumes.some((volume) => volume.name === name)) };
}
