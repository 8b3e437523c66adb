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

/** Returns an operator's Deployment with all that an operator may configure, within the restricted standard. */
export function configured(pod: Partial<PodSpec> = {}, app: Partial<Container> = {}): Deployment {
  const secret = (name: string, key: string) => ({ valueFrom: { secretKeyRef: { name, key } } });
  const template = {
    metadata: {
      labels: { app: "unity-backend", team: "shop" },
      annotations: { "example.com/scrape": "true", "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" },
    },
    spec: {
      imagePullSecrets: [{ name: "registry" }],
      nodeSelector: { pool: "web" },
      tolerations: [{ key: "pool", operator: "Equal", value: "web", effect: "NoSchedule" }],
      affinity: { podAntiAffinity: {} },
      topologySpreadConstraints: [{ topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
      priorityClassName: "high",
      serviceAccountName: "shop",
      serviceAccount: "shop",
      initContainers: [
        { name: "proxy", image: "proxy:1", restartPolicy: "Always", terminationMessagePolicy: "File" },
        {
          name: "assets",
          image: "assets:1",
          terminationMessagePolicy: "File",
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
        },
        { name: "schema", image: "old:1", command: ["alembic", "upgrade", "head"] },
      ],
      containers: [
        container({
          env: [
            { name: "DATABASE_URL", value: "postgresql://u:s3cret@db/unity" },
            { name: "PASSWORD", value: "s3cret" },
            { name: "TOKEN", ...secret("shop", "TOKEN") },
          ],
          envFrom: [{ configMapRef: { name: "settings" } }, { secretRef: { name: "more" }, prefix: "MORE_" }],
          resources: { limits: { cpu: "2" } },
          command: ["gunicorn"],
          volumeMounts: [
            { name: "files", mountPath: "/files", readOnly: true },
            { name: "data", mountPath: "/data" },
            { name: "tmp", mountPath: "/tmp" },
          ],
          ...app,
        }),
        { name: "exporter", image: "exporter:1", terminationMessagePolicy: "File" },
      ],
      volumes: [
        { name: "files", configMap: { name: "files", defaultMode: 420 } },
        { name: "data", persistentVolumeClaim: { claimName: "data" } },
        { name: "tmp", emptyDir: {} },
      ],
      ...pod,
    },
  };
  return backend({}, { template });
}
