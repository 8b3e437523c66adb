import assert from "node:assert/strict";
import { noAdoption, planAdoption } from "../../src/adoption/adoption.ts";
import type { LiveObject } from "../../src/cluster/objects.ts";
import { backend, container, job, live, named, ours, service } from "./objects.ts";

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

describe("takeOver", () => {
  it("is of nothing where nothing is there, or all was declared by a stack", () => {
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

  it("tells what becomes of a Deployment", () => {
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
      preserves: ["selector app=unity-backend", "its pods, until new ones are ready"],
      changes: [
        "container backend is called unity-backend",
        "image old:1 becomes new:1",
        "replicas 3 become 1",
        "container proxy goes",
        "environment GREETING goes",
        "envFrom goes",
        "volume uploads goes",
        "imagePullSecrets goes",
        "serviceAccountName backend goes",
        "Helm manages it, as its label says: it must let go of it, or it undoes this",
        "until they go, its pods may be taken out of the Service: their readiness probe asks /health, which fails once the database is ahead of them",
      ],
    });
    assert.deepEqual(left, [
      "job/unity-db-migrate (running): its log is history",
      "secret/mine: new pods don't read it",
      "secret/more: new pods don't read it",
    ]);
  });

  it("tells what becomes of a Service", () => {
    const ports = [
      { name: "web", port: 80, targetPort: "web" },
      { name: "metrics", port: 9090, targetPort: 9090 },
    ];
    const { objects } = external(backend(), service({ type: "NodePort", selector: { app: "x" }, ports }));
    assert.deepEqual(objects[1], {
      object: "service/unity-backend",
      preserves: ["selector app=x", "type NodePort", "ports 80, 9090"],
      changes: [
        "has port 8000 besides",
        "port 9090 leads nowhere: no new pod listens on 9090",
        "leads to the new pods too, beside those that it leads to now",
      ],
    });
  });

  it("leaves an external database's PostgreSQL, and reports a Secret of the same name", () => {
    const items = [backend(), leading, named("Deployment", "postgres"), named("Service", "postgres-service")];
    const objects = { ...live(...items), secretKeys: ["DATABASE_URL", "OTHER"] };
    const adopted = planAdoption(objects, { owned: false, target });
    assert.deepEqual(adopted.left, [
      "deployment/postgres: the database is the settings' databaseUrl",
      "service/postgres-service: the database is the settings' databaseUrl",
    ]);
    assert.deepEqual(adopted.objects[2], {
      object: "secret/unity-database",
      preserves: ["keys DATABASE_URL, OTHER"],
      changes: ["what the settings say of the database stands in it"],
    });
    assert.deepEqual(adopted.rejected, []);
  });

  const rejected: readonly [what: string, owned: boolean, items: readonly LiveObject[], message: RegExp | null][] = [
    [
      "another PostgreSQL in an owned one's place",
      true,
      [named("Deployment", "postgres")],
      /\(Deployment postgres\).*database external/,
    ],
    [
      "a claim that may hold data",
      true,
      [named("PersistentVolumeClaim", "postgres")],
      /PersistentVolumeClaim postgres\)/,
    ],
    ["a Service that leads to another", true, [named("Service", "postgres-service")], /\(Service postgres-service\)/],
    ["a backend whose database would be left", true, [backend()], /\(the database of Deployment unity-backend\)/],
    ["none of these where the database is external", false, [backend(), named("Deployment", "postgres")], null],
    ["no backend beside a PostgreSQL of the stack's", true, [backend(), named("Deployment", "postgres", ours)], null],
    [
      "a selector that wants another name",
      false,
      [backend({}, { selector: { matchLabels: { "app.kubernetes.io/name": "api" } } })],
      /selector of Deployment unity-backend wants app.kubernetes.io\/name=api/,
    ],
    ["a Service without a selector", false, [service({ ports: [{ port: 8000 }] })], /it has no selector/],
    [
      "a Service that is a name elsewhere",
      false,
      [service({ type: "ExternalName", selector: { a: "b" } })],
      /an ExternalName/,
    ],
    [
      "a Service that leads to another port",
      false,
      [backend(), service({ selector: { app: "x" }, ports: [{ port: 8000, targetPort: 9000 }] })],
      /leads to port 9000 of the pods/,
    ],
    [
      "no Service of which one port leads to the app",
      false,
      [backend(), service({ selector: { app: "x" }, ports: [{ port: 80, targetPort: "web" }, { port: 81 }] })],
      null,
    ],
    ["a migration by hand that is running", false, [job("unity-db-migrate", ["sh"])], /wait job\/unity-db-migrate/],
    [
      "one under any name that runs Alembic",
      false,
      [job("by-hand", ["sh", "-c", "alembic upgrade head"])],
      /Job by-hand/,
    ],
    ["no other Job", false, [job("backup", ["pg_dump"])], null],
    [
      "no Job of this project, which holds the lock",
      false,
      [job("unity-db-migrate", ["python"], { "app.kubernetes.io/name": "unity-db-migrate" })],
      null,
    ],
  ];
  for (const [what, owned, items, message] of rejected) {
    it(`refuses ${what}`, () => {
      const { rejected: reasons } = found(owned, ...items);
      assert.equal(reasons.length, message === null ? 0 : 1, reasons.join("\n"));
      if (message !== null) assert.match(reasons[0] ?? "", message);
    });
  }
});
