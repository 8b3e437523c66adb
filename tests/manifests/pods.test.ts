import assert from "node:assert/strict";
import { backendDeploymentSpec, backendServiceSpec } from "../../manifests/backend.ts";
import { migrateJobSpec } from "../../manifests/migrate-job.ts";
import { ownedDatabaseUrl, postgresDeploymentSpec } from "../../manifests/postgres.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../../manifests/runner.ts";
import { linearLock } from "../support/chain.ts";
import { backendOptions } from "../support/options.ts";

/** A pod's spec as plain data, which is what the functions return: no value in it is an output. */
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
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
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Record<string, unknown>;
  readonly terminationMessagePolicy: string;
  readonly volumeMounts: readonly { readonly name: string }[];
}

function podSpec(spec: object): PodSpec {
  return (spec as { template: { spec: PodSpec } }).template.spec;
}

const postgresOptions = { image: "postgres:17", imagePullPolicy: "Always", storage: "1Gi", secretName: "s" };
const pods: Record<string, PodSpec> = {
  "migrate Job": podSpec(migrateJobSpec(backendOptions)),
  "migrate Job with a restore point": podSpec(migrateJobSpec({ ...backendOptions, restorePointImage: "postgres:17" })),
  backend: podSpec(backendDeploymentSpec(backendOptions)),
  postgres: podSpec(postgresDeploymentSpec(postgresOptions)),
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
    it("gets no API token and no variables of other Services", () => {
      assert.deepEqual([pod.automountServiceAccountToken, pod.enableServiceLinks], [false, false]);
    });
    it("mounts only volumes that it has", () => {
      const volumes = pod.volumes.map((volume) => volume.name);
      for (const mount of containers.flatMap(({ volumeMounts }) => volumeMounts))
        assert.ok(volumes.includes(mount.name));
    });
    it("has no literal credential, and leaves its last words in the termination message", () => {
      for (const { env, terminationMessagePolicy } of containers) {
        for (const variable of env) assert.ok(variable.value === undefined || !/PASS|URL/.test(variable.name));
        assert.equal(terminationMessagePolicy, "FallbackToLogsOnError");
      }
    });
  });
}

describe("migrateJobSpec", () => {
  it("runs the runner once, in the backend's image, within its deadline, and is kept afterwards", () => {
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

describe("migrateJobSpec of a target", () => {
  const target = { ...backendOptions, targetRevision: "r1", restorePointImage: "postgres:17" };
  it("goes back only where it is allowed, by the whole chain", () => {
    const [allowed, refused] = [true, false].map(
      (allowDowngrade) => podSpec(migrateJobSpec({ ...target, allowDowngrade })).containers[0],
    );
    for (const container of [allowed, refused]) {
      assert.ok(container?.args?.includes("--chain=/opt/unity-runner/migration-chain.json"));
      assert.ok(container?.args?.includes("--target=r1"));
    }
    assert.deepEqual([allowed?.command?.at(-1), refused?.command?.at(-1)], ["reach", "upgrade"]);
  });
  it("takes a restore point first, by PostgreSQL's image, on a volume that outlives the pod", () => {
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
  const options = { lock: linearLock(3), runnerFiles: source };
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
  it("tells the backend's image and the migrate Job's apart where a target is below the head", () => {
    const files = runnerConfigMapData({ ...options, targetRevision: "r2" });
    assert.deepEqual(JSON.parse(files["chain.json"] ?? "").heads, ["r2"]);
    assert.deepEqual(JSON.parse(files["migration-chain.json"] ?? "").heads, ["r3"]);
  });
  it("decides the ConfigMap's name", () => {
    const name = (changed: Partial<Parameters<typeof runnerConfigMapData>[0]> = {}) =>
      runnerConfigMapName(runnerConfigMapData({ ...options, ...changed }));
    assert.equal(name(), name());
    assert.notEqual(name(), name({ runnerFiles: { ...source, "part.py": "another" } }));
    assert.notEqual(name(), name({ lock: linearLock(4) }));
    assert.notEqual(name(), name({ toleratedRevisions: ["r4"] }));
  });
});
