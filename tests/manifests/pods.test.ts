import assert from "node:assert/strict";
import { backendDeploymentSpec, backendServiceSpec, disruptionBudgetSpec } from "../../src/manifests/backend.ts";
import { migrateJobSpec } from "../../src/manifests/migrate-job.ts";
import { ownedDatabaseUrl, postgresDeploymentSpec } from "../../src/manifests/postgres.ts";
import { restoreJobSpec } from "../../src/manifests/restore-points.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../../src/manifests/runner.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { backendOptions } from "../support/options.ts";

/** A pod's spec as plain data, which is what the functions return: no value in it is an output. */
interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string; readonly whenUnsatisfiable: string }[];
  readonly enableServiceLinks: boolean;
  readonly restartPolicy?: string;
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly seccompProfile: { readonly type: string } };
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly securityContext: Record<string, unknown>;
  readonly terminationMessagePolicy: string;
  readonly volumeMounts: readonly { readonly name: string }[];
}

function podSpec(spec: object): PodSpec {
  return (spec as { template: { spec: PodSpec } }).template.spec;
}

const postgresOptions = { image: "postgres:17", imagePullPolicy: "Always", storage: "1Gi", secretName: "s" };
const tls = { mode: "verify-full", caSecretName: "ca" } as const;
const applicationRole = { name: "app", secretName: "app-secret", create: true };
const pods: Record<string, PodSpec> = {
  "migrate Job": podSpec(migrateJobSpec(backendOptions)),
  "migrate Job with a restore point": podSpec(migrateJobSpec({ ...backendOptions, restorePointImage: "postgres:17" })),
  backend: podSpec(backendDeploymentSpec(backendOptions)),
  postgres: podSpec(postgresDeploymentSpec(postgresOptions)),
  "migrate Job of two roles, verified": podSpec(
    migrateJobSpec({ ...backendOptions, tls, applicationRole, restorePointImage: "postgres:17" }),
  ),
  "backend, verified": podSpec(backendDeploymentSpec({ ...backendOptions, tls })),
  restore: podSpec(restoreJobSpec({ verb: "list" }, "runner", { ...postgresOptions, tls })),
};

for (const [name, pod] of Object.entries(pods)) {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  describe(`pod of ${name}`, () => {
    it("meets the restricted Pod Security Standard", () => {
      assert.equal(pod.securityContext.runAsNonRoot, true);
      assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
      for (const { securityContext } of containers) {
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        });
      }
    });
    it("gets no API token and no variables of other Services, and an account of its own", () => {
      assert.deepEqual([pod.automountServiceAccountToken, pod.enableServiceLinks], [false, false]);
      assert.match(pod.serviceAccountName, /^unity-(backend|migrations|postgres)$/);
    });
    it("asks for what it needs, and has a limit of memory", () => {
      for (const { resources } of containers) {
        assert.deepEqual(Object.keys(resources.requests), ["cpu", "memory"]);
        assert.deepEqual(Object.keys(resources.limits), ["memory"]);
      }
    });
    it("mounts only volumes that it has", () => {
      const volumes = pod.volumes.map((volume) => volume.name);
      for (const mount of containers.flatMap(({ volumeMounts }) => volumeMounts))
        assert.ok(volumes.includes(mount.name));
    });
    it("has no literal credential, and leaves its last words in the termination message", () => {
      for (const { env, terminationMessagePolicy } of containers) {
        for (const variable of env)
          assert.ok(variable.value === undefined || !/PASS|URL/.test(variable.name), variable.name);
        assert.equal(terminationMessagePolicy, "FallbackToLogsOnError");
      }
    });
  });
}

describe("migrateJobSpec", () => {
  it("runs the runner once, in the backend's image, within its deadline, and is kept", () => {
    const { template: _, ...spec } = migrateJobSpec(backendOptions);
    assert.deepEqual(spec, { backoffLimit: 0, activeDeadlineSeconds: 3 });
    const [container, ...others] = pods["migrate Job"]?.containers ?? [];
    assert.equal(others.length, 0);
    assert.equal(container?.image, backendOptions.image);
    assert.deepEqual(container?.command, ["python", "/opt/unity-runner/migrate.py", "upgrade"]);
    assert.ok(container?.args?.includes("--lock-timeout-seconds=1"));
    assert.equal(container?.env.find(({ name }) => name === "UNITY_IMAGE")?.value, backendOptions.image);
    assert.equal(pods["migrate Job"]?.restartPolicy, "Never");
  });
  it("takes a direct URL from the Secret, if that has one", () => {
    const env = pods["migrate Job"]?.containers[0]?.env ?? [];
    const secretKeyRef = { name: backendOptions.secretName, key: "MIGRATION_DATABASE_URL", optional: true };
    assert.deepEqual(
      env.find(({ name }) => name === "MIGRATION_DATABASE_URL"),
      { name: "MIGRATION_DATABASE_URL", valueFrom: { secretKeyRef } },
    );
  });
});

describe("two roles", () => {
  const [job] = podSpec(migrateJobSpec({ ...backendOptions, secretName: "owner", applicationRole })).containers;
  const urlOf = (container: Container | undefined, name: string) =>
    (container?.env.find((variable) => variable.name === name)?.valueFrom as { secretKeyRef: object } | undefined)
      ?.secretKeyRef;
  it("are told to the migrate Job: the application's by name, both URLs by reference", () => {
    assert.ok(job?.args?.includes("--application-role=app") && job.args.includes("--create-application-role"));
    assert.deepEqual(urlOf(job, "DATABASE_URL"), { name: "owner", key: "DATABASE_URL" });
    assert.deepEqual(urlOf(job, "APPLICATION_DATABASE_URL"), { name: "app-secret", key: "DATABASE_URL" });
  });
  it("are made only where the stack owns the database", () => {
    const elsewhere = { ...applicationRole, create: false };
    const [container] = podSpec(migrateJobSpec({ ...backendOptions, applicationRole: elsewhere })).containers;
    assert.ok(!container?.args?.includes("--create-application-role"));
  });
  it("are one for the backend, whose pods know no other Secret", () => {
    const text = JSON.stringify(backendDeploymentSpec({ ...backendOptions, secretName: "app-secret" }));
    const secrets = new Set([...text.matchAll(/"secretKeyRef":\{"name":"([^"]+)"/g)].map(([, name]) => name));
    assert.deepEqual([...secrets], ["app-secret"]);
  });
});

describe("encryption", () => {
  const variables = (container: Container | undefined) =>
    Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  it("is asked for in every container that connects, with the authority's certificate", () => {
    for (const name of ["migrate Job of two roles, verified", "backend, verified", "restore"]) {
      const { initContainers = [], containers, volumes } = pods[name] ?? assert.fail();
      assert.ok(volumes.some((volume) => volume.name === "database-ca"));
      for (const container of [...initContainers, ...containers]) {
        const { PGSSLMODE, PGSSLROOTCERT } = variables(container);
        assert.deepEqual([PGSSLMODE, PGSSLROOTCERT], ["verify-full", "/etc/unity-database-ca/ca.crt"]);
        assert.ok(container.volumeMounts.some((mount) => mount.name === "database-ca"));
      }
    }
  });
  it("is left to libpq where the stack says nothing of it", () => {
    assert.ok(!JSON.stringify([pods["migrate Job"], pods.backend]).includes("PGSSL"));
  });
});

describe("several pods of the backend", () => {
  const spread = (replicas: number) =>
    podSpec(backendDeploymentSpec({ ...backendOptions, replicas })).topologySpreadConstraints;
  it("are spread over the nodes, and evicted one at a time", () => {
    const [constraint] = spread(3) ?? [];
    assert.deepEqual(
      [constraint?.topologyKey, constraint?.whenUnsatisfiable],
      ["kubernetes.io/hostname", "ScheduleAnyway"],
    );
    assert.equal(disruptionBudgetSpec(3)?.minAvailable, 2);
  });
  it("are needed for that", () => {
    assert.deepEqual([spread(1), disruptionBudgetSpec(1)], [undefined, undefined]);
  });
});

describe("migrateJobSpec of a target", () => {
  const target = { ...backendOptions, targetRevision: "r1", restorePointImage: "postgres:17" };
  it("goes back only where it is allowed, by the whole chain", () => {
    const [allowed, rejected] = [true, false].map(
      (allowDowngrade) => podSpec(migrateJobSpec({ ...target, allowDowngrade })).containers[0],
    );
    for (const container of [allowed, rejected]) {
      assert.ok(container?.args?.includes("--chain=/opt/unity-runner/migration-chain.json"));
      assert.ok(container?.args?.includes("--target=r1"));
    }
    assert.deepEqual([allowed?.command?.at(-1), rejected?.command?.at(-1)], ["reach", "upgrade"]);
  });
  it("takes a restore point first, in PostgreSQL's image, on a persistent volume", () => {
    const { initContainers, volumes } = podSpec(migrateJobSpec(target));
    assert.deepEqual(
      initContainers?.map(({ name, image, command }) => [name, image, command?.slice(2)]),
      [["restore-point", "postgres:17", ["take", "$(HOSTNAME)"]]],
    );
    assert.ok(volumes.some(({ name }) => name === "restore-points"));
  });
});

describe("backendDeploymentSpec", () => {
  it("runs the runner in the settings' mode before the app starts", () => {
    for (const initContainer of ["upgrade", "wait"] as const) {
      const [init] = podSpec(backendDeploymentSpec({ ...backendOptions, initContainer })).initContainers ?? [];
      assert.deepEqual(init?.command, ["python", "/opt/unity-runner/migrate.py", initContainer]);
    }
  });
  it("takes no pod away before its successor is ready", () => {
    const { strategy, replicas } = backendDeploymentSpec(backendOptions);
    assert.deepEqual(strategy, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    assert.equal(replicas, 2);
  });
  it("is found by its Service", () => {
    const { selector, template } = backendDeploymentSpec(backendOptions) as {
      selector: { matchLabels: Record<string, string> };
      template: { metadata: { labels: Record<string, string> } };
    };
    assert.deepEqual(backendServiceSpec().selector, selector.matchLabels);
    for (const [key, value] of Object.entries(selector.matchLabels)) {
      assert.equal(template.metadata.labels[key], value);
    }
  });
});

describe("ownedDatabaseUrl", () => {
  for (const password of ["plain", "p@ss:w/rd?#%", "ünïcode ", "a'b\"c\\d"]) {
    it(`carries ${JSON.stringify(password)} unharmed`, () => {
      const url = new URL(ownedDatabaseUrl(password));
      assert.equal(decodeURIComponent(url.password), password);
      assert.equal(url.pathname, "/homelab_db");
    });
  }
});

describe("runnerConfigMapData", () => {
  const source = { "migrate.py": "import part", "part.py": "source" };
  const options = { lock: linearLock("r1", "r2", "r3"), runnerFiles: source };
  it("tells the runner what the image must hold", () => {
    const files = runnerConfigMapData(options);
    assert.deepEqual(Object.keys(files), ["migrate.py", "part.py", "chain.json"]);
    const { heads, revisions } = JSON.parse(files["chain.json"] ?? "");
    assert.deepEqual(heads, ["r3"]);
    assert.deepEqual(Object.keys(revisions[0]), [
      "id",
      "title",
      "file",
      "sha256",
      "sql",
      "reversible",
      "reversibleReason",
    ]);
    assert.match(revisions[0].sql, /^[0-9a-f]{16}$/);
  });
  it("separates the backend's image from the migrate Job's for a target below the head", () => {
    const files = runnerConfigMapData({ ...options, targetRevision: "r2" });
    assert.deepEqual(JSON.parse(files["chain.json"] ?? "").heads, ["r2"]);
    assert.deepEqual(JSON.parse(files["migration-chain.json"] ?? "").heads, ["r3"]);
  });
  it("decides the ConfigMap's name", () => {
    const name = (changed: Partial<Parameters<typeof runnerConfigMapData>[0]> = {}) =>
      runnerConfigMapName(runnerConfigMapData({ ...options, ...changed }));
    assert.equal(name(), name());
    assert.notEqual(name(), name({ runnerFiles: { ...source, "part.py": "another" } }));
    assert.notEqual(name(), name({ lock: linearLock("r1", "r2", "r3", "r4") }));
    assert.notEqual(name(), name({ toleratedRevisions: ["r4"] }));
  });
});
