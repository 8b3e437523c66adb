import assert from "node:assert/strict";
import { describeAdoption, noAdoption, planAdoption } from "../../src/adoption/adoption.ts";
import { preserve } from "../../src/adoption/preserve.ts";
import { preservedPod, withPreservedPod } from "../../src/adoption/preserved-pod.ts";
import type { Deployment, LiveObject } from "../../src/cluster/objects.ts";
import { backendDeploymentSpec } from "../../src/manifests/backend.ts";
import type { PlainPodConfig } from "../../src/manifests/pod-config.ts";
import type { Settings } from "../../src/settings/settings.ts";
import { backendOptions } from "../support/options.ts";
import { backend, configured, job, live, named, ours, service } from "./objects.ts";

const unmanagedSecret = { resourceVersion: "1", isOurs: false, owner: undefined, keys: ["DATABASE_URL", "OTHER"] };
const target = { context: "here", namespace: "unity" };
const level = "restricted";

/** Plans the adoption of objects by a stack with a configuration of the backend's pods. */
function found(owned: boolean, items: readonly LiveObject[], own: PlainPodConfig = {}, adoptWithout: string[] = []) {
  const objects = live(...items);
  const settings = { pods: { backend: own, gate: {}, migration: {} } } as Settings;
  const pod = preservedPod(objects, adoptWithout);
  const configuration = { pod: withPreservedPod(settings, pod).pods.backend, preservedPod: pod };
  const options = { ...backendOptions, replicas: 1, secretVersion: undefined, image: "new:1", ...configuration };
  const wanted = backendDeploymentSpec({ ...options, preserved: preserve(objects) }) as unknown as Deployment["spec"];
  return planAdoption(objects, { owned, target, level, adoptWithout, wanted });
}
const external = (...items: readonly LiveObject[]) => found(false, items);
const leading = service({ selector: { app: "unity-backend" }, ports: [{ port: 8000 }] });

describe("planAdoption", () => {
  it("is empty without existing objects, or if a stack declared them all", () => {
    assert.deepEqual(found(true, []), noAdoption);
    const all = [
      backend({}, {}, { annotations: ours }),
      named("Deployment", "postgres", ours),
      named("Service", "postgres-service", ours),
      named("PersistentVolumeClaim", "postgres", ours),
    ];
    const { objects, left, rejected } = found(true, all);
    assert.deepEqual([objects, left, rejected], [[], [], []]);
  });

  it("lists what an existing Deployment preserves, and what changes", () => {
    const labels = { "app.kubernetes.io/managed-by": "Helm" };
    const { spec } = configured({}, { readinessProbe: { httpGet: { path: "/health", port: 8000 } } });
    const existing = backend({}, { ...spec, replicas: 3 }, { labels });
    const { objects, left, rejected } = external(existing, leading);
    assert.deepEqual(rejected, []);
    assert.deepEqual(objects[0], {
      object: "deployment/unity-backend",
      preserves: [
        "selector app=unity-backend",
        "pods until new ones are ready",
        "env PASSWORD, TOKEN",
        "envFrom configmap/settings, MORE_secret/more",
        "mount /files, /data",
        "command",
        "label team",
        "annotation example.com/scrape",
        "serviceAccountName",
        "imagePullSecret registry",
        "nodeSelector pool",
        "toleration pool=web:NoSchedule",
        "affinity",
        "topologySpreadConstraint zone",
        "priorityClassName",
        "volume files, data",
        "resources",
      ],
      changes: [
        "~ container backend -> unity-backend",
        "~ image old:1 -> new:1",
        "~ replicas 3 -> 1",
        "- initContainer schema",
        "~ env DATABASE_URL",
        "~ initContainer proxy (securityContext), assets (securityContext)",
        "~ container exporter (securityContext)",
        "~ field ports, readinessProbe",
        "+ volume runner",
        "+ initContainer migrate",
        "+ field spec.automountServiceAccountToken, spec.enableServiceLinks, spec.securityContext, securityContext, startupProbe, livenessProbe, lifecycle",
        "schema runs Alembic, without the advisory lock: the migration Job does it instead",
        "managed by Helm, by its label: detach it from Helm, which otherwise reverts the adoption",
        "its pods' readiness probe /health fails once the database is migrated: until they are replaced, the Service may exclude them",
      ],
    });
    assert.deepEqual(left, []);
    assert.doesNotMatch(JSON.stringify(objects), /s3cret/);
  });

  it("lists what the settings and the project change, by name", () => {
    const own: PlainPodConfig = {
      env: [
        { name: "PASSWORD", value: "n3w" },
        { name: "ADDED", value: "n3w" },
      ],
      nodeSelector: { pool: "batch" },
    };
    const pod = {
      hostAliases: [{ ip: "10.0.0.1" }],
      terminationGracePeriodSeconds: 60,
      dnsPolicy: "ClusterFirst",
      volumes: [
        { name: "tmp", configMap: { name: "x" } },
        { name: "data", emptyDir: {} },
      ],
    };
    const secret = { name: "PGSSLMODE", valueFrom: { secretKeyRef: { name: "tls", key: "mode" } } };
    const app = { env: [secret, { name: "PASSWORD", value: "s3cret" }, { name: "OLD", value: "s3cret" }] };
    const { objects, left } = found(false, [configured(pod, app)], own, ["env/OLD", "volume/data"]);
    const changes = objects[0]?.changes ?? [];
    for (const line of [
      "- env PGSSLMODE, OLD",
      "- volume data",
      "- mount /data",
      "- field spec.hostAliases, spec.terminationGracePeriodSeconds",
      "~ env PASSWORD",
      "+ env DATABASE_URL, ADDED",
      "~ nodeSelector pool",
      "~ volume tmp",
    ])
      assert.ok(changes.includes(line), `${line} is in:\n${changes.join("\n")}`);
    assert.ok(!objects[0]?.preserves.some((line) => /PASSWORD|nodeSelector|data/.test(line)));
    assert.deepEqual(left, ["secret/tls: new pods don't read it"]);
    assert.doesNotMatch(JSON.stringify(objects), /s3cret|n3w/);
  });

  it("warns about network policies, which could cut the pods off from other services", () => {
    const { objects } = planAdoption(live(backend()), { owned: false, target, level, networkPolicies: true });
    assert.match(objects[0]?.changes.join("\n") ?? "", /^\+ network policies: .*config set networkPolicies false$/);
  });

  it("lists the changes of a Service", () => {
    const ports = [
      { name: "web", port: 80, targetPort: "web" },
      { name: "metrics", port: 9090, targetPort: 9090 },
    ];
    const { objects } = external(backend(), service({ type: "NodePort", selector: { app: "x" }, ports }));
    assert.deepEqual(objects[1], {
      object: "service/unity-backend",
      preserves: ["selector app=x", "type NodePort", "ports 80, 9090"],
      changes: [
        "+ port 8000",
        "~ port 9090 has no endpoint: new pods don't listen on 9090",
        "~ selects the new pods, too",
      ],
    });
  });

  it("leaves an external database's PostgreSQL, and reports a Secret of the same name", () => {
    const items = [backend(), leading, named("Deployment", "postgres"), named("Service", "postgres-service")];
    const objects = { ...live(...items), secret: unmanagedSecret };
    const adopted = planAdoption(objects, { owned: false, target, level });
    assert.deepEqual(adopted.left, [
      "deployment/postgres: the database is that of unity:databaseUrl",
      "service/postgres-service: the database is that of unity:databaseUrl",
    ]);
    assert.deepEqual(adopted.objects[2], {
      object: "secret/unity-database",
      preserves: ["keys DATABASE_URL, OTHER"],
      changes: ["~ values from the stack's database settings"],
    });
    assert.deepEqual(adopted.rejected, []);
  });

  const rejected: readonly [what: string, owned: boolean, items: readonly LiveObject[], message: RegExp][] = [
    [
      "another PostgreSQL in place of an owned one",
      true,
      [named("Deployment", "postgres")],
      /\(Deployment postgres\).*database external/,
    ],
    [
      "a volume claim that may hold data",
      true,
      [named("PersistentVolumeClaim", "postgres")],
      /PersistentVolumeClaim postgres\)/,
    ],
    [
      "a Service in place of the database's",
      true,
      [named("Service", "postgres-service")],
      /\(Service postgres-service\)/,
    ],
    ["a backend whose database would be replaced", true, [backend()], /\(the database of Deployment unity-backend\)/],
    [
      "a selector that requires another name",
      false,
      [backend({}, { selector: { matchLabels: { "app.kubernetes.io/name": "api" } } })],
      /selector of Deployment unity-backend requires app.kubernetes.io\/name=api/,
    ],
    ["a Service without a selector", false, [service({ ports: [{ port: 8000 }] })], /it has no selector/],
    ["an ExternalName", false, [service({ type: "ExternalName", selector: { a: "b" } })], /an ExternalName/],
    [
      "a Service that targets another port",
      false,
      [backend(), service({ selector: { app: "x" }, ports: [{ port: 8000, targetPort: 9000 }] })],
      /targets port 9000 of the pods/,
    ],
    ["a running migrate Job of an operator", false, [job("unity-db-migrate", ["sh"])], /wait job\/unity-db-migrate/],
    [
      "a running Job that runs Alembic",
      false,
      [job("upgrade", ["sh", "-c", "alembic upgrade head"])],
      /Job upgrade is running/,
    ],
  ];
  for (const [what, owned, items, message] of rejected) {
    it(`rejects ${what}`, () => {
      const { rejected: reasons } = found(owned, items);
      assert.equal(reasons.length, 1, reasons.join("\n"));
      assert.match(reasons[0] ?? "", message);
    });
  }

  const accepted: readonly [what: string, owned: boolean, items: readonly LiveObject[]][] = [
    ["an existing PostgreSQL where the database is external", false, [backend(), named("Deployment", "postgres")]],
    ["an existing backend beside a stack's PostgreSQL", true, [backend(), named("Deployment", "postgres", ours)]],
    [
      "a Service with a port that targets the app",
      false,
      [backend(), service({ selector: { app: "x" }, ports: [{ port: 80, targetPort: "web" }, { port: 81 }] })],
    ],
    ["another Job", false, [job("backup", ["pg_dump"])]],
    [
      "a Job of this project, which takes the advisory lock",
      false,
      [job("unity-db-migrate", ["python"], { "app.kubernetes.io/name": "unity-db-migrate" })],
    ],
  ];
  for (const [what, owned, items] of accepted)
    it(`accepts ${what}`, () => assert.deepEqual(found(owned, items).rejected, []));
});

describe("describeAdoption", () => {
  it("lists adopted objects with their changes, and those that stay unmanaged", () => {
    const lines = describeAdoption(external(backend(), leading, job("unity-db-migrate", [])));
    assert.deepEqual(lines, [
      "Existing resources to adopt:",
      "  deployment/unity-backend",
      "    preserves selector app=unity-backend",
      "    preserves pods until new ones are ready",
      "    preserves label tier",
      "    ~ container backend -> unity-backend",
      "    ~ image old:1 -> new:1",
      "    ~ field ports",
      "    + env DATABASE_URL",
      "    + mount /tmp",
      "    + serviceAccountName",
      "    + volume runner, tmp",
      "    + initContainer migrate",
      "    + field spec.automountServiceAccountToken, spec.enableServiceLinks, spec.securityContext, securityContext, startupProbe, readinessProbe, livenessProbe, lifecycle",
      "  service/unity-backend",
      "    preserves selector app=unity-backend",
      "    preserves ports 8000",
      "Existing resources that stay unmanaged:",
      "  job/unity-db-migrate (running): kept for its log",
    ]);
  });

  it("is empty without existing objects", () => assert.deepEqual(describeAdoption(noAdoption), []));
});
