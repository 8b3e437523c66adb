import { isDeepStrictEqual } from "node:util";
import {
  appContainer,
  isOurs,
  type LiveDeployment,
  type LiveObjects,
  type LiveService,
} from "../cluster/live-objects.ts";
import { backendServicePorts, type LabelSelector, type Preserved, type ServicePort } from "../manifests/backend.ts";
import { names, ports, selectorLabels } from "../manifests/names.ts";

type Labels = Readonly<Record<string, string>>;

const ours = selectorLabels(names.backend);

/** Whether `labels` has all of `wanted`. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** Labels of the pods that a Deployment makes. */
export function podLabels({ spec }: LiveDeployment): Labels {
  return spec.template.metadata?.labels ?? {};
}

/** The labels by which a selector finds a Deployment's pods. */
function selecting({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): Labels {
  const named = matchExpressions.flatMap(({ key }) => (labels[key] === undefined ? [] : [[key, labels[key]] as const]));
  return { ...matchLabels, ...Object.fromEntries(named) };
}

/** The Service's selector, if pods are to be found by it: one that was broken since the stack made it is not kept. */
function keptSelector(service: LiveService | undefined, backend: LiveDeployment | undefined): Labels | undefined {
  const selector = service?.spec.selector ?? {};
  if (service === undefined || Object.keys(selector).length === 0) return undefined;
  const holds = !isOurs(service) || backend === undefined || hasLabels(podLabels(backend), selector);
  return holds ? selector : undefined;
}

/** @returns The number of the port that a Service's port leads to; `undefined` for a name that no container has. */
export function targetNumber({ port, targetPort = port }: ServicePort, backend: LiveDeployment | undefined) {
  if (typeof targetPort === "number") return targetPort;
  const named = (backend && appContainer(backend)?.ports) ?? [];
  return named.find(({ name }) => name === targetPort)?.containerPort;
}

/** A port's fields that are declared: with the number that it leads to, as new pods name theirs otherwise. */
function declared(live: ServicePort, backend: LiveDeployment | undefined): ServicePort {
  const { name, port, targetPort = port, protocol = "TCP" } = live;
  return { ...(name && { name }), port, targetPort: targetNumber(live, backend) ?? targetPort, protocol };
}

/**
 * The Service's ports: all that it has, under the names that it has them, since a port that is renamed leads nowhere for
 * a moment. Kubernetes wants a name of each where there are several, so that an only one without a name stays alone.
 */
function keptPorts(service: LiveService, backend: LiveDeployment | undefined): readonly ServicePort[] {
  const live = service.spec.ports ?? [];
  if (live.some(({ port }) => port === ports.backend)) {
    return live.map((each) =>
      each.port === ports.backend ? { ...declared(each, backend), targetPort: ports.backend } : declared(each, backend),
    );
  }
  const [own] = withProtocol(backendServicePorts());
  const kept = live.map((each) => declared(each, backend));
  const isFree = kept.every(({ name }) => name !== undefined && name !== own?.name);
  return own !== undefined && isFree ? [own, ...kept] : kept;
}

/** @returns What the backend's objects keep of those that live: the same at each update. */
export function preserve({ backend, service }: Pick<LiveObjects, "backend" | "service">): Preserved {
  const selector = backend?.spec.selector;
  const keepsSelector = selector !== undefined && !isDeepStrictEqual(selector, { matchLabels: ours });
  const serviceSelector = keptSelector(service, backend);
  const servicePorts = service === undefined ? [] : keptPorts(service, backend);
  const labels = {
    ...(keepsSelector && selecting(selector, backend === undefined ? {} : podLabels(backend))),
    ...serviceSelector,
  };
  const isOwnPort = isDeepStrictEqual(withProtocol(servicePorts), withProtocol(backendServicePorts()));
  return {
    ...(keepsSelector && { selector }),
    ...(!hasLabels(ours, labels) && { podLabels: labels }),
    ...(serviceSelector !== undefined && !isDeepStrictEqual(serviceSelector, ours) && { serviceSelector }),
    ...(servicePorts.length > 0 && !isOwnPort && { servicePorts }),
  };
}

function withProtocol(list: readonly ServicePort[]): readonly ServicePort[] {
  return list.map((port) => ({ protocol: "TCP", ...port }));
}
