import {
  type Container,
  type Deployment,
  type Job,
  type LiveObject,
  type LiveObjects,
  objectsOf,
  type PodSpec,
  type Service,
} from "../../src/cluster/objects.ts";

/** Annotations of an object that a stack of this project declared. */
export const ours = { "pulumi.com/patchForce": "true" };

/** Returns an operator's Deployment `unity-backend` with the selector `app=unity-backend`. */
export function backend(
  pod: Partial<PodSpec> = {},
  more: Partial<Deployment["spec"]> = {},
  metadata: Partial<Deployment["metadata"]> = {},
): Deployment {
  const labels = { app: "unity-backend", tier: "api" };
  return {
    kind: "Deployment",
    metadata: { name: "unity-backend", ...metadata },
    spec: {
      selector: { matchLabels: { app: "unity-backend" } },
      template: { metadata: { labels }, spec: { containers: [container()], ...pod } },
      ...more,
    },
    status: { replicas: 1 },
  };
}

/** Returns the app's container of an operator, with a port named `web`. */
export function container(more: Partial<Container> = {}): Container {
  return { name: "backend", image: "old:1", ports: [{ name: "web", containerPort: 8000 }], ...more };
}

/** Returns a Service `unity-backend`. */
export function service(spec: Service["spec"], annotations: Record<string, string> = {}): Service {
  return { kind: "Service", metadata: { name: "unity-backend", annotations }, spec };
}

/** Returns a running Job with one container. */
export function job(name: string, command: string[], labels: Record<string, string> = {}): Job {
  return {
    kind: "Job",
    metadata: { name, labels },
    spec: { template: { spec: { containers: [{ name: "job", command }] } } },
  };
}

/** Returns an object by kind and name. */
export function named(kind: "Deployment" | "Service" | "PersistentVolumeClaim", name: string, annotations = {}) {
  return { kind, metadata: { name, annotations } } as LiveObject;
}

/** Returns the live objects of these items. */
export function live(...items: readonly LiveObject[]): LiveObjects {
  return objectsOf(items);
}
