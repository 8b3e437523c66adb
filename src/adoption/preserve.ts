import { isDeepStrictEqual } from "node:util";
import { appContainer, type Deployment, isOurs, type LiveObjects, type Service } from "../cluster/objects.ts";
import { unity } from "../manifests/app.ts";
import { backendServicePorts, type LabelSelector, type Preserved, type ServicePort } from "../manifests/backend.ts";
import { names, ports, selectorLabels } from "../manifests/names.ts";

type Labels = Readonly<Record<string, string>>;

const ownSelector = selectorLabels(names.backend);

/** Whether `labels` include all of `required`. */
export function hasLabels(labels: Labels, required: Labels): boolean {
  return Object.entries(required).every(([key, value]) => labels[key] === value);
}

/** Returns the labels of a Deployment's pods. */
export function podLabels({ spec }: Deployment): Labels {
  return spec.template.metadata?.labels ?? {};
}

/**
 * Returns the number of the port that a Service's port targets.
 *
 * @returns `undefined` for a name that no container has.
 */
export function targetNumber(
  { port, targetPort = port }: ServicePort,
  backend: Deployment | undefined,
): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  const named = (backend && appContainer(backend)?.ports) ?? [];
  return named.find(({ name }) => name === targetPort)?.containerPort;
}

/** Returns the properties of existing objects that the backend's objects preserve: the same at each update. */
export function preserve({ backend, service }: Pick<LiveObjects, "backend" | "service">): Preserved {
  const preserved: { -readonly [Part in keyof Preserved]: Preserved[Part] } = {};
  const selected: Record<string, string> = {};
  const selector = backend?.spec.selector;
  if (backend !== undefined && selector !== undefined && !isDeepStrictEqual(selector, { matchLabels: ownSelector })) {
    preserved.selector = selector;
    Object.assign(selected, selectedLabels(selector, podLabels(backend)));
  }
  const serviceSelector = preservedSelector(service, backend);
  Object.assign(selected, serviceSelector);
  if (!hasLabels(ownSelector, selected)) preserved.podLabels = selected;
  if (serviceSelector !== undefined && !isDeepStrictEqual(serviceSelector, ownSelector))
    preserved.serviceSelector = serviceSelector;
  const servicePorts = service === undefined ? [] : preservedPorts(service, backend);
  const isDefault = isDeepStrictEqual(withProtocol(servicePorts), withProtocol(backendServicePorts(unity)));
  if (servicePorts.length > 0 && !isDefault) preserved.servicePorts = servicePorts;
  return preserved;
}

/** Returns the labels by which a selector finds pods with `labels`. */
function selectedLabels({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): Labels {
  const selected = { ...matchLabels };
  for (const { key } of matchExpressions) {
    const value = labels[key];
    if (value !== undefined) selected[key] = value;
  }
  return selected;
}

/** Returns the Service's selector; not that of a stack's Service if it was changed and finds no pod of the stack. */
function preservedSelector(service: Service | undefined, backend: Deployment | undefined): Labels | undefined {
  const selector = service?.spec.selector ?? {};
  if (service === undefined || Object.keys(selector).length === 0) return undefined;
  const isValid = !isOurs(service) || backend === undefined || hasLabels(podLabels(backend), selector);
  return isValid ? selector : undefined;
}

/**
 * Returns all of the Service's ports under their names, since a renamed port has no endpoint for a moment. Kubernetes
 * requires names where a Service has several ports, so that a single port without a name stays alone.
 */
function preservedPorts(service: Service, backend: Deployment | undefined): readonly ServicePort[] {
  const live = service.spec.ports ?? [];
  if (live.some(({ port }) => port === ports.backend)) {
    return live.map((each) => {
      const declared = declaredPort(each, backend);
      return each.port === ports.backend ? { ...declared, targetPort: ports.backend } : declared;
    });
  }
  const [own] = withProtocol(backendServicePorts(unity));
  const preserved = live.map((each) => declaredPort(each, backend));
  const isFree = preserved.every(({ name }) => name !== undefined && name !== own?.name);
  return own !== undefined && isFree ? [own, ...preserved] : preserved;
}

/** Returns a port as it is declared: with its target's number, as new pods may name their ports otherwise. */
function declaredPort(live: ServicePort, backend: Deployment | undefined): ServicePort {
  const { name, port, targetPort = port, protocol = "TCP" } = live;
  const declared = { port, targetPort: targetNumber(live, backend) ?? targetPort, protocol };
  return name ? { name, ...declared } : declared;
}

function withProtocol(list: readonly ServicePort[]): readonly ServicePort[] {
  return list.map((port) => ({ protocol: "TCP", ...port }));
}
