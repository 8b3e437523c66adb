import { isDeepStrictEqual } from "node:util";
import { appContainer, type Container, type Deployment } from "../cluster/objects.ts";
import type { PlainPodConfig } from "../manifests/pod-config.ts";
import { reservedAnnotations, reservedLabels } from "../manifests/pod-rules.ts";
import { configOf, formatParts, otherFields, type PodPart, partChanges, partsOf } from "./pod-parts.ts";
import { isRolloutAnnotation, runsAlembic } from "./preserved-pod.ts";

/** Paths that depend on the revision: a pod that is older than the database is not ready by them. */
const revisionPath = /^\/health\/?$/;

/** Lists what a rollout changes in an existing Deployment. */
export function deploymentChanges(backend: Deployment, wanted: Deployment["spec"]): readonly string[] {
  const app = appContainer(backend);
  const [next] = wanted.template.spec.containers;
  if (app === undefined || next === undefined) return [];
  const { replicas = 1, template } = backend.spec;
  const changes: string[] = [];
  if (app.name !== next.name) changes.push(`~ container ${app.name} -> ${next.name}`);
  if (app.image !== next.image) changes.push(`~ image ${app.image} -> ${next.image}`);
  if (replicas !== wanted.replicas) changes.push(`~ replicas ${replicas} -> ${wanted.replicas}`);
  changes.push(...partChanges(partsIn(backend.spec, app), partsIn(wanted, next)));
  const { initContainers = [], containers } = template.spec;
  for (const container of [...initContainers, ...containers].filter(runsAlembic))
    changes.push(`${container.name} runs Alembic, without the advisory lock: the migration Job does it instead`);
  const manager = backend.metadata.labels?.["app.kubernetes.io/managed-by"];
  if (manager !== undefined)
    changes.push(
      `managed by ${manager}, by its label: detach it from ${manager}, which otherwise reverts the adoption`,
    );
  const path = app.readinessProbe?.httpGet?.path;
  if (path !== undefined && revisionPath.test(path))
    changes.push(
      `its pods' readiness probe ${path} fails once the database is migrated: until they are replaced, the Service may exclude them`,
    );
  return changes;
}

/** Lists the parts of existing pods that the wanted ones have, too: settings may replace others. */
export function preservedParts(preserved: PlainPodConfig, wanted?: Deployment["spec"]): readonly string[] {
  const [next] = wanted?.template.spec.containers ?? [];
  const parts = partsOf(preserved);
  if (wanted === undefined || next === undefined) return formatParts(parts);
  const declared = partsOf(configOf(wanted.template, next));
  return formatParts(parts.filter((part) => declared.some((other) => isDeepStrictEqual(part, other))));
}

/** Returns all parts of a Deployment, without the labels and annotations of the project. */
function partsIn(spec: Deployment["spec"], app: Container): readonly PodPart[] {
  const own = [...reservedLabels, ...reservedAnnotations];
  const { userId: _, ...config } = configOf(spec.template, app); // a field of the security context
  const parts = partsOf(config).filter(({ kind, key }) => !own.includes(key) && !isRolloutAnnotation(kind, key));
  return [...parts, ...otherFields(spec, app)];
}
