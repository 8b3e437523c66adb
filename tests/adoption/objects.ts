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

/** Annotations of what a stack of this project declared. */
export const ours = { "pulumi.com/patchForce": "true" };

/** @returns A Deployment `unity-backend` as an operator makes it, selected by `app=unity-backend`. */
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

/** @returns The app's container as an operator makes it: its port is called `web`. */
export function container(more: Partial<Container> = {}): Container {
  return { name: "backend", image: "old:1", ports: [{ name: "web", containerPort: 8000 }], ...more };
}

/** @returns A Service `unity-backend`. */
export function service(spec: Service["spec"], annotations: Record<string, string> = {}): Service {
  return { kind: "Service", metadata: { name: "unity-backend", annotations }, spec };
}

/** @returns A Job of one container, without a condition: it is running. */
export function job(name: string, command: string[], labels: Record<string, string> = {}): Job {
  return {
    kind: "Job",
    metadata: { name, labels },
    spec: { template: { spec: { containers: [{ name: "job", command }] } } },
  };
}

/** @returns Any object by kind and name. */
export function named(kind: "Deployment" | "Service" | "PersistentVolumeClaim", name: string, annotations = {}) {
  return { kind, metadata: { name, annotations } } as LiveObject;
}

/** @returns What is found of these objects. */
export function live(...items: readonly LiveObject[]): LiveObjects {
  return objectsOf(items);
}
