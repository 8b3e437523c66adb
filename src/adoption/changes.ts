import { appContainer, type Container, containersOf, type Deployment, type PodSpec } from "../cluster/objects.ts";

/** Parts of a pod's specification that an operator may have set, and that decide on whether and where it runs. */
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

/** Paths whose answer depends on the revision: a pod that is older than the database is not ready by them. */
const revisionPath = /^\/health\/?$/;

/** @returns What is in `live` and not in `wanted`. */
function without(live: readonly string[], wanted: readonly string[]): readonly string[] {
  return [...new Set(live)].filter((name) => !wanted.includes(name));
}

function variables(spec: PodSpec): readonly string[] {
  return containersOf(spec).flatMap(({ env = [] }) => env.map(({ name }) => name));
}

function renamed(app: Container | undefined, next: Container | undefined): readonly string[] {
  if (app === undefined || next === undefined) return [];
  return [
    ...(app.name === next.name ? [] : [`container ${app.name} is called ${next.name}`]),
    ...(app.image === next.image ? [] : [`image ${app.image} becomes ${next.image}`]),
  ];
}

/** @returns What a rollout of `wanted` changes of a Deployment that was set up by hand, a sentence each. */
export function deploymentChanges(
  backend: Deployment,
  wanted: { readonly replicas: number; readonly template: PodSpec },
): readonly string[] {
  const { replicas = 1, template } = backend.spec;
  const [live, next] = [template.spec, wanted.template];
  const app = appContainer(backend);
  const names = (containers: readonly Container[]) => containers.map(({ name }) => name);
  const gone = (what: string, list: readonly string[]) =>
    list.length === 0 ? [] : [`${what} ${list.join(", ")} ${list.length === 1 ? "goes" : "go"}`];
  const others = containersOf(live).filter((container) => container !== app);
  const path = app?.readinessProbe?.httpGet?.path;
  const manager = backend.metadata.labels?.["app.kubernetes.io/managed-by"];
  return [
    ...renamed(app, next.containers[0]),
    ...(replicas === wanted.replicas ? [] : [`replicas ${replicas} become ${wanted.replicas}`]),
    ...gone("container", without(names(others), names(containersOf(next)))),
    ...gone("environment", without(variables(live), variables(next))),
    ...(containersOf(live).some(({ envFrom = [] }) => envFrom.length > 0) ? ["envFrom goes"] : []),
    ...gone(
      "volume",
      without(
        (live.volumes ?? []).map(({ name }) => name),
        (next.volumes ?? []).map(({ name }) => name),
      ),
    ),
    ...parts.filter((part) => live[part] !== undefined && next[part] === undefined).map((part) => `${part} goes`),
    ...(typeof live.serviceAccountName === "string" && live.serviceAccountName !== next.serviceAccountName
      ? [`serviceAccountName ${live.serviceAccountName} goes`]
      : []),
    ...(manager === undefined
      ? []
      : [`${manager} manages it, as its label says: it must let go of it, or it undoes this`]),
    ...(path !== undefined && revisionPath.test(path)
      ? [
          `until they go, its pods may be taken out of the Service: their readiness probe asks ${path}, which fails once the database is ahead of them`,
        ]
      : []),
  ];
}
