import assert from "node:assert/strict";
import type { types } from "@pulumi/kubernetes";
import { plainAlembic } from "../../src/lockfile/lock.ts";
import { unity } from "../../src/manifests/app.ts";
import { backendDeploymentSpec, backendServiceSpec, disruptionBudgetSpec } from "../../src/manifests/backend.ts";
import { jobDeadlineSeconds, jobWaitSeconds, migrateJobSpec } from "../../src/manifests/migrate-job.ts";
import { appLabel } from "../../src/manifests/names.ts";
import { ownedDatabaseUrl, postgresDeploymentSpec } from "../../src/manifests/postgres.ts";
import { restoreJobSpec } from "../../src/manifests/restore-points.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../../src/manifests/runner-files.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { backendOptions } from "../support/options.ts";

type PodSpec = types.output.core.v1.PodSpec;
type Container = types.output.core.v1.Container;

/** Returns the pod spec of a workload as plain data: the functions put no output into it. */
function podSpec(spec: object): PodSpec {
  return (spec as { template: { spec: PodSpec } }).template.spec;
}

const restoreOptions = {
  app: unity,
  image: "postgres:17",
  imagePullPolicy: "Always",
  secretName: "s",
  timeoutSeconds: 60,
};
const postgresOptions = { image: "postgres:17", imagePullPolicy: "Always", storage: "1Gi", secretName: "s" };
const tls = { mode: "verify-full", caSecretName: "ca" } as const;
const applicationRole = { name: "app", secretName: "app-secret", create: true };
const pods: Record<string, PodSpec> = {
  "migration Job": podSpec(migrateJobSpec(backendOptions)),
  "migration Job with a restore point": podSpec(
    migrateJobSpec({ ...backendOptions, restorePointImage: "postgres:17" }),
  ),
  backend: podSpec(backendDeploymentSpec(backendOptions)),
  postgres: podSpec(postgresDeploymentSpec(postgresOptions)),
  "migration Job with separate roles and TLS": podSpec(
    migrateJobSpec({ ...backendOptions, tls, applicationRole, restorePointImage: "postgres:17" }),
  ),
  "backend with TLS": podSpec(backendDeploymentSpec({ ...backendOptions, tls })),
  restore: podSpec(restoreJobSpec({ verb: "list" }, "runner", { ...restoreOptions, tls })),
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
    it("has its own account, no API token, and no variables of other Services", () => {
      assert.deepEqual([pod.automountServiceAccountToken, pod.enableServiceLinks], [false, false]);
      assert.match(pod.serviceAccountName, /^unity-(backend|migrations|postgres)$/);
    });
    it("requests CPU and memory, and limits memory", () => {
      for (const { resources } of containers) {
        assert.deepEqual(Object.keys(resources.requests), ["cpu", "memory"]);
        assert.deepEqual(Object.keys(resources.limits), ["memory"]);
      }
    });
    it("mounts only its own volumes", () => {
      const volumes = pod.volumes.map((volume) => volume.name);
      for (const mount of containers.flatMap(({ volumeMounts }) => volumeMounts))
        assert.ok(volumes.includes(mount.name));
    });
    it("has no literal credential, and a termination message", () => {
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
    assert.deepEqual(spec, { backoffLimit: 0, activeDeadlineSeconds: 603 });
    const [container, ...others] = pods["migration Job"]?.containers ?? [];
    assert.equal(others.length, 0);
    assert.equal(container?.image, backendOptions.image);
    assert.deepEqual(container?.command, ["python", "/opt/migration-runner/migrate.py", "upgrade"]);
    assert.ok(container?.args?.includes("--lock-timeout-seconds=1"));
    assert.equal(container?.env.find(({ name }) => name === "MIGRATION_IMAGE")?.value, backendOptions.image);
    assert.equal(pods["migration Job"]?.restartPolicy, "Never");
  });
  it("reads an optional direct URL from the Secret", () => {
    const env = pods["migration Job"]?.containers[0]?.env ?? [];
    const secretKeyRef = { name: backendOptions.secretName, key: "MIGRATION_DATABASE_URL", optional: true };
    assert.deepEqual(
      env.find(({ name }) => name === "MIGRATION_DATABASE_URL"),
      { name: "MIGRATION_DATABASE_URL", valueFrom: { secretKeyRef } },
    );
  });
});

describe("the backend's pods", () => {
  it("have the label by which commands find an app's pods, which no selector contains", () => {
    const { selector, template } = backendDeploymentSpec(backendOptions);
    const labels = { "app.kubernetes.io/name": "unity-backend", "app.kubernetes.io/part-of": "unity" };
    assert.deepEqual((template as { metadata: { labels: object } }).metadata.labels, {
      ...labels,
      [appLabel]: "unity",
    });
    assert.deepEqual(selector, { matchLabels: { "app.kubernetes.io/name": "unity-backend" } });
  });
});

describe("separate roles", () => {
  const [job] = podSpec(migrateJobSpec({ ...backendOptions, secretName: "owner", applicationRole })).containers;
  const urlOf = (container: Container | undefined, name: string) =>
    (container?.env.find((variable) => variable.name === name)?.valueFrom as { secretKeyRef: object } | undefined)
      ?.secretKeyRef;
  it("are passed to the migration Job by name, and their URLs by reference", () => {
    assert.ok(job?.args?.includes("--application-role=app") && job.args.includes("--create-application-role"));
    assert.deepEqual(urlOf(job, "DATABASE_URL"), { name: "owner", key: "DATABASE_URL" });
    assert.deepEqual(urlOf(job, "APPLICATION_DATABASE_URL"), { name: "app-secret", key: "DATABASE_URL" });
  });
  it("are not created in an external database", () => {
    const existing = { ...applicationRole, create: false };
    const [container] = podSpec(migrateJobSpec({ ...backendOptions, applicationRole: existing })).containers;
    assert.ok(!container?.args?.includes("--create-application-role"));
  });
  it("give the backend's pods only the application's Secret", () => {
    const text = JSON.stringify(backendDeploymentSpec({ ...backendOptions, secretName: "app-secret" }));
    const secrets = new Set([...text.matchAll(/"secretKeyRef":\{"name":"([^"]+)"/g)].map(([, name]) => name));
    assert.deepEqual([...secrets], ["app-secret"]);
  });
});

describe("TLS", () => {
  const variables = (container: Container | undefined) =>
    Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  it("is configured in every container that connects, with the CA", () => {
    for (const name of ["migration Job with separate roles and TLS", "backend with TLS", "restore"]) {
      const { initContainers = [], containers, volumes } = pods[name] ?? assert.fail();
      assert.ok(volumes.some((volume) => volume.name === "database-ca"));
      for (const container of [...initContainers, ...containers]) {
        const { PGSSLMODE, PGSSLROOTCERT } = variables(container);
        assert.deepEqual([PGSSLMODE, PGSSLROOTCERT], ["verify-full", "/etc/database-ca/ca.crt"]);
        assert.ok(container.volumeMounts.some((mount) => mount.name === "database-ca"));
      }
    }
  });
  it("is left to libpq's default if not configured", () => {
    assert.ok(!JSON.stringify([pods["migration Job"], pods.backend]).includes("PGSSL"));
  });
});

describe("multiple backend pods", () => {
  const spread = (replicas: number) =>
    podSpec(backendDeploymentSpec({ ...backendOptions, replicas })).topologySpreadConstraints;
  it("are spread over the nodes, and evicted one at a time", () => {
    const [constraint] = spread(3) ?? [];
    assert.deepEqual(
      [constraint?.topologyKey, constraint?.whenUnsatisfiable],
      ["kubernetes.io/hostname", "ScheduleAnyway"],
    );
    assert.equal(disruptionBudgetSpec(3, unity)?.minAvailable, 2);
  });
  it("differ from a single pod, which has no constraint and no budget", () => {
    assert.deepEqual([spread(1), disruptionBudgetSpec(1, unity)], [undefined, undefined]);
  });
});

describe("migrateJobSpec with a target", () => {
  const target = { ...backendOptions, targetRevision: "r1", restorePointImage: "postgres:17" };
  it("downgrades only if allowed, along the whole chain", () => {
    const [allowed, rejected] = [true, false].map(
      (allowDowngrade) => podSpec(migrateJobSpec({ ...target, allowDowngrade })).containers[0],
    );
    for (const container of [allowed, rejected]) {
      assert.ok(container?.args?.includes("--chain=/opt/migration-runner/migration-chain.json"));
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
  it("keeps the permissions of dumps when their volume is mounted", () => {
    for (const spec of [migrateJobSpec(target), restoreJobSpec({ verb: "list" }, "runner", restoreOptions)])
      assert.equal(podSpec(spec).securityContext.fsGroupChangePolicy, "OnRootMismatch");
  });
  it("gives the start and the restore point time of their own", () => {
    const { restorePointImage: _, ...without } = target;
    const timeouts = { ...target.timeouts, startTimeoutSeconds: 20, restorePointTimeoutSeconds: 100 };
    assert.deepEqual(
      [without, target, { ...target, timeouts }].map((options) => [
        jobDeadlineSeconds(options),
        jobWaitSeconds(options),
      ]),
      [
        [603, 604],
        [4203, 4204],
        [123, 124],
      ],
    );
    const spec = migrateJobSpec({ ...target, timeouts });
    assert.equal(spec.activeDeadlineSeconds, 123);
    const env = podSpec(spec).initContainers?.[0]?.env;
    assert.equal(env?.find(({ name }) => name === "RESTORE_POINT_TIMEOUT_SECONDS")?.value, "100");
    assert.ok(podSpec(spec).containers[0]?.args?.includes("--deadline-seconds=3"));
  });
});

describe("backendDeploymentSpec", () => {
  it("runs the runner in the configured mode before the app starts", () => {
    for (const initContainer of ["upgrade", "wait"] as const) {
      const [init] = podSpec(backendDeploymentSpec({ ...backendOptions, initContainer })).initContainers ?? [];
      assert.deepEqual(init?.command, ["python", "/opt/migration-runner/migrate.py", initContainer]);
    }
  });
  it("removes no pod before its replacement is ready", () => {
    const { strategy, replicas } = backendDeploymentSpec(backendOptions);
    assert.deepEqual(strategy, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    assert.equal(replicas, 2);
  });
  it("is selected by its Service", () => {
    const { selector, template } = backendDeploymentSpec(backendOptions) as {
      selector: { matchLabels: Record<string, string> };
      template: { metadata: { labels: Record<string, string> } };
    };
    assert.deepEqual(backendServiceSpec(unity).selector, selector.matchLabels);
    for (const [key, value] of Object.entries(selector.matchLabels)) {
      assert.equal(template.metadata.labels[key], value);
    }
  });
});

describe("ownedDatabaseUrl", () => {
  for (const password of ["plain", "p@ss:w/rd?#%", "ünïcode ", "a'b\"c\\d"]) {
    it(`preserves the password ${JSON.stringify(password)}`, () => {
      const url = new URL(ownedDatabaseUrl(password));
      assert.equal(decodeURIComponent(url.password), password);
      assert.equal(url.pathname, "/homelab_db");
    });
  }
});

describe("runnerConfigMapData", () => {
  const source = { "migrate.py": "import part", "part.py": "source" };
  const options = { lock: linearLock("r1", "r2", "r3"), runnerFiles: source };
  it("describes the chain that the image must contain", () => {
    const files = runnerConfigMapData(options);
    assert.deepEqual(Object.keys(files), ["migrate.py", "part.py", "chain.json", "version-table.txt"]);
    assert.equal(files["version-table.txt"], "alembic_version\n");
    const { heads, versionTable, revisions } = JSON.parse(files["chain.json"] ?? "");
    assert.deepEqual(versionTable, { schema: null, name: "alembic_version" });
    assert.deepEqual(heads, ["r3"]);
    assert.deepEqual(Object.keys(revisions[0]), [
      "id",
      "title",
      "files",
      "sql",
      "reversible",
      "reversibleReason",
      "rollbackBlocker",
    ]);
    assert.deepEqual(Object.keys(revisions[0].files), ["alembic/versions/r1.py"]);
    for (const direction of ["upgrade", "downgrade"]) assert.match(revisions[0].sql[direction], /^[0-9a-f]{16}$/);
  });
  it("names the version table for programs that read no JSON", () => {
    const lock = { ...options.lock, versionTable: { schema: "billing", name: 'a "b"' } };
    assert.equal(runnerConfigMapData({ ...options, lock })["version-table.txt"], 'a "b"\nbilling\n');
  });
  it("separates the backend's image from the migrate Job's for a target below the head", () => {
    const files = runnerConfigMapData({ ...options, targetRevision: "r2" });
    const [backend, migration] = ["chain.json", "migration-chain.json"].map((name) => JSON.parse(files[name] ?? ""));
    assert.deepEqual([backend.heads, migration.heads], [["r2"], ["r3"]]);
    assert.deepEqual([backend.files, migration.files], [{}, options.lock.files]);
  });
  it("determines the ConfigMap's name", () => {
    const name = (changed: Partial<Parameters<typeof runnerConfigMapData>[0]> = {}) =>
      runnerConfigMapName(runnerConfigMapData({ ...options, ...changed }));
    assert.equal(name(), name());
    assert.notEqual(name(), name({ runnerFiles: { ...source, "part.py": "another" } }));
    assert.notEqual(name(), name({ lock: linearLock("r1", "r2", "r3", "r4") }));
    assert.notEqual(name(), name({ toleratedRevisions: ["r4"] }));
    const alembic = { ...plainAlembic, x: ["tenant=a"] };
    assert.notEqual(name(), name({ lock: { ...options.lock, alembic } }));
  });
});
