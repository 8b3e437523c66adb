import { appContainer, type Container, containersOf, type Deployment, type PodSpec } from "../cluster/objects.ts";

/** Parts of a pod's spec that an operator may have set, and that decide whether and where it runs. */
const parts = [
  "imagePullSecrets",
  "nodeSelector",
  "tolerations",
  "affinity",
  "topologySpreadConstraints",
  "priorityClassName",
  "hostNetwork",
  "hostAliases",
] as const;

/** Paths that depend on the revision: a pod that is older than the database is not ready by them. */
const revisionPath = /^\/health\/?$/;

/** Lists what a rollout changes in an existing Deployment. */
export function deploymentChanges(
  backend: Deployment,
  wanted: { readonly replicas: number; readonly template: PodSpec },
): readonly string[] {
  const { replicas = 1, template } = backend.spec;
  const [live, next] = [template.spec, wanted.template];
  const app = appContainer(backend);
  const changes = [...appChanges(app, next.containers[0])];
  if (replicas !== wanted.replicas) changes.push(`~ replicas ${replicas} -> ${wanted.replicas}`);
  const others = containersOf(live).filter((container) => container !== app);
  const removed = (what: string, before: readonly string[], after: readonly string[]) => {
    const names = [...new Set(before)].filter((name) => !after.includes(name));
    if (names.length > 0) changes.push(`- ${what} ${names.join(", ")}`);
  };
  removed("container", namesOf(others), namesOf(containersOf(next)));
  removed("env", variables(live), variables(next));
  removed("envFrom", sources(live), sources(next));
  removed("volume", namesOf(live.volumes), namesOf(next.volumes));
  for (const part of parts) if (live[part] !== undefined && next[part] === undefined) changes.push(`- ${part}`);
  const { serviceAccountName: account } = live;
  if (account !== undefined && account !== next.serviceAccountName) changes.push(`- serviceAccountName ${account}`);
  const manager = backend.metadata.labels?.["app.kubernetes.io/managed-by"];
  if (manager !== undefined)
    changes.push(
      `managed by ${manager}, by its label: detach it from ${manager}, which otherwise reverts the adoption`,
    );
  const path = app?.readinessProbe?.httpGet?.path;
  if (path !== undefined && revisionPath.test(path))
    changes.push(
      `its pods' readiness probe ${path} fails once the database is migrated: until they are replaced, the Service may exclude them`,
    );
  return changes;
}

function namesOf(items: readonly { readonly name: string }[] = []): readonly string[] {
  return items.map(({ name }) => name);
}

function variables(spec: PodSpec): readonly string[] {
  return containersOf(spec).flatMap(({ env }) => namesOf(env));
}

/** Returns the Secrets and ConfigMaps whose keys are variables. */
function sources(spec: PodSpec): readonly string[] {
  const all = containersOf(spec).flatMap(({ envFrom = [] }) => envFrom);
  return all.map(({ secretRef, configMapRef }) =>
    secretRef === undefined ? `configmap/${configMapRef?.name}` : `secret/${secretRef.name}`,
  );
}

function appChanges(app: Container | undefined, next: Container | undefined): readonly string[] {
  const changes: string[] = [];
  if (app === undefined || next === undefined) return changes;
  if (app.name !== next.name) changes.push(`~ container ${app.name} -> ${next.name}`);
  if (app.image !== next.image) changes.push(`~ image ${app.image} -> ${next.image}`);
  return changes;
}
