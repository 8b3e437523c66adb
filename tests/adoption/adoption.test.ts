import assert from "node:assert/strict";
import { describeAdoption, noAdoption, planAdoption } from "../../src/adoption/adoption.ts";
import type { LiveObject } from "../../src/cluster/objects.ts";
import { backend, container, job, live, named, ours, service } from "./objects.ts";

const unmanagedSecret = { resourceVersion: "1", isOurs: false, owner: undefined, keys: ["DATABASE_URL", "OTHER"] };
const target = { context: "here", namespace: "unity" };
const wanted = {
  replicas: 1,
  template: {
    initContainers: [{ name: "migrate" }],
    containers: [{ name: "unity-backend", image: "new:1", env: [{ name: "DATABASE_URL" }] }],
    volumes: [{ name: "tmp" }],
  },
};
const found = (owned: boolean, ...items: readonly LiveObject[]) =>
  planAdoption(live(...items), { owned, target, wanted });
const external = (...items: readonly LiveObject[]) => found(false, ...items);
const leading = service({ selector: { app: "unity-backend" }, ports: [{ port: 8000 }] });

describe("planAdoption", () => {
  it("is empty without existing objects, or if a stack declared them all", () => {
    assert.deepEqual(found(true), noAdoption);
    const all = [
      backend({}, {}, { annotations: ours }),
      named("Deployment", "postgres", ours),
      named("Service", "postgres-service", ours),
      named("PersistentVolumeClaim", "postgres", ours),
    ];
    const { objects, left, rejected } = found(true, ...all);
    assert.deepEqual([objects, left, rejected], [[], [], []]);
  });

  it("lists the changes of a Deployment", () => {
    const key = { valueFrom: { secretKeyRef: { name: "mine", key: "URL" } } };
    const env = [{ name: "DATABASE_URL", ...key }, { name: "GREETING" }];
    const app = container({
      env,
      envFrom: [{ secretRef: { name: "more" } }],
      readinessProbe: { httpGet: { path: "/health", port: 8000 } },
    });
    const pod = {
      containers: [app, { name: "proxy" }],
      volumes: [{ name: "tmp" }, { name: "uploads" }],
      imagePullSecrets: [{ name: "registry" }],
      serviceAccountName: "backend",
    };
    const labels = { "app.kubernetes.io/managed-by": "Helm" };
    const { objects, left } = external(backend(pod, { replicas: 3 }, { labels }), leading, job("unity-db-migrate", []));
    assert.deepEqual(objects[0], {
      object: "deployment/unity-backend",
      preserves: ["selector app=unity-backend", "pods until new ones are ready"],
      changes: [
        "~ container backend -> unity-backend",
        "~ image old:1 -> new:1",
        "~ replicas 3 -> 1",
        "- container proxy",
        "- env GREETING",
        "- envFrom secret/more",
        "- volume uploads",
        "- imagePullSecrets",
        "- serviceAccountName backend",
        "managed by Helm, by its label: detach it from Helm, which otherwise reverts the adoption",
        "its pods' readiness probe /health fails once the database is migrated: until they are replaced, the Service may exclude them",
      ],
    });
    assert.deepEqual(left, [
      "job/unity-db-migrate (running): kept for its log",
      "secret/mine: new pods don't read it",
      "secret/more: new pods don't read it",
    ]);
  });

  it("doesn't list what the configured pods have, too", () => {
    const key = { valueFrom: { secretKeyRef: { name: "mine", key: "URL" } } };
    const configured = {
      env: [{ name: "GREETING", ...key }],
      envFrom: [{ secretRef: { name: "more" } }, { configMapRef: { name: "settings" } }],
    };
    const pod = {
      containers: [container(configured)],
      imagePullSecrets: [{ name: "registry" }],
      nodeSelector: { a: "b" },
    };
    const template = { ...wanted.template, ...pod, containers: [{ ...wanted.template.containers[0], ...configured }] };
    const next = { replicas: 1, template: template as typeof wanted.template };
    const { objects, left } = planAdoption(live(backend(pod)), { owned: false, target, wanted: next });
    assert.deepEqual(objects[0]?.changes, ["~ container backend -> unity-backend", "~ image old:1 -> new:1"]);
    assert.deepEqual(left, []);
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
    const adopted = planAdoption(objects, { owned: false, target });
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
      const { rejected: reasons } = found(owned, ...items);
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
    it(`accepts ${what}`, () => assert.deepEqual(found(owned, ...items).rejected, []));
});

describe("describeAdoption", () => {
  it("lists adopted objects with their changes, and those that stay unmanaged", () => {
    const lines = describeAdoption(external(backend(), leading, job("unity-db-migrate", [])));
    assert.deepEqual(lines, [
      "Existing resources to adopt:",
      "  deployment/unity-backend",
      "    preserves selector app=unity-backend",
      "    preserves pods until new ones are ready",
      "    ~ container backend -> unity-backend",
      "    ~ image old:1 -> new:1",
      "  service/unity-backend",
      "    preserves selector app=unity-backend",
      "    preserves ports 8000",
      "Existing resources that stay unmanaged:",
      "  job/unity-db-migrate (running): kept for its log",
    ]);
  });

  it("is empty without existing objects", () => assert.deepEqual(describeAdoption(noAdoption), []));
});
