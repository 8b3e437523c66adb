import assert from "node:assert/strict";
import type { types } from "@pulumi/kubernetes";
import { type BackendOptions, backendDeploymentSpec } from "../../src/manifests/backend.ts";
import { migrateJobSpec } from "../../src/manifests/migrate-job.ts";
import type { PlainPodConfig, PodConfig } from "../../src/manifests/pod-config.ts";
import { mergePodConfigs } from "../../src/manifests/pod-merge.ts";
import { postgresDeploymentSpec, postgresImageJobSpec } from "../../src/manifests/postgres.ts";
import { restoreJobSpec } from "../../src/manifests/restore-points.ts";
import { backendOptions } from "../support/options.ts";

type Template = types.output.core.v1.PodTemplateSpec;

/** Returns the pod template of a workload as plain data. */
function templateOf(spec: object): Template {
  return (spec as { template: Template }).template;
}

const job = (pod?: PlainPodConfig) => templateOf(migrateJobSpec({ ...backendOptions, pod }));
const backend = (options: Partial<BackendOptions>) =>
  templateOf(backendDeploymentSpec({ ...backendOptions, ...options }));

describe("mergePodConfigs", () => {
  const cases: readonly [what: string, base: PodConfig, own: PodConfig, merged: PodConfig][] = [
    [
      "replaces variables of the same name, appends others",
      {
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "1" },
        ],
      },
      {
        env: [
          { name: "C", value: "2" },
          { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "A" } } },
        ],
      },
      {
        env: [
          { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "A" } } },
          { name: "B", value: "1" },
          { name: "C", value: "2" },
        ],
      },
    ],
    [
      "appends sources of variables, and tolerations",
      { envFrom: [{ secretRef: { name: "a" } }], tolerations: [{ key: "a" }] },
      { envFrom: [{ configMapRef: { name: "b" } }], tolerations: [{ key: "b" }] },
      {
        envFrom: [{ secretRef: { name: "a" } }, { configMapRef: { name: "b" } }],
        tolerations: [{ key: "a" }, { key: "b" }],
      },
    ],
    [
      "merges labels, annotations, and node selectors by key",
      { labels: { a: "1" }, annotations: { a: "1" }, nodeSelector: { a: "1" } },
      { labels: { a: "2", b: "2" }, annotations: { b: "2" }, nodeSelector: { b: "2" } },
      { labels: { a: "2", b: "2" }, annotations: { a: "1", b: "2" }, nodeSelector: { a: "1", b: "2" } },
    ],
    [
      "merges requests and limits by resource",
      { resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } } },
      { resources: { limits: { memory: "2Gi", cpu: "2" } } },
      { resources: { requests: { cpu: "1" }, limits: { memory: "2Gi", cpu: "2" } } },
    ],
    [
      "merges other lists by name, path, or key",
      {
        volumes: [{ name: "v", emptyDir: {} }],
        initContainers: [{ name: "s", image: "1" }],
        containers: [{ name: "c", image: "1" }],
        imagePullSecrets: [{ name: "p" }],
        volumeMounts: [{ name: "v", mountPath: "/v" }],
        topologySpreadConstraints: [{ topologyKey: "k", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
      },
      {
        volumes: [{ name: "v", secret: { secretName: "s" } }],
        initContainers: [{ name: "s", image: "2" }],
        containers: [{ name: "d", image: "2" }],
        imagePullSecrets: [{ name: "p" }, { name: "q" }],
        volumeMounts: [{ name: "w", mountPath: "/v" }],
        topologySpreadConstraints: [{ topologyKey: "k", maxSkew: 2, whenUnsatisfiable: "ScheduleAnyway" }],
      },
      {
        volumes: [{ name: "v", secret: { secretName: "s" } }],
        initContainers: [{ name: "s", image: "2" }],
        containers: [
          { name: "c", image: "1" },
          { name: "d", image: "2" },
        ],
        imagePullSecrets: [{ name: "p" }, { name: "q" }],
        volumeMounts: [{ name: "w", mountPath: "/v" }],
        topologySpreadConstraints: [{ topologyKey: "k", maxSkew: 2, whenUnsatisfiable: "ScheduleAnyway" }],
      },
    ],
    [
      "replaces a mount of the same folder",
      { volumeMounts: [{ name: "v", mountPath: "/a/b" }] },
      { volumeMounts: [{ name: "w", mountPath: "/a/b/" }] },
      { volumeMounts: [{ name: "w", mountPath: "/a/b/" }] },
    ],
    [
      "replaces everything else",
      { userId: 1, affinity: { nodeAffinity: {} }, priorityClassName: "low", command: ["a", "b"] },
      { userId: "none", affinity: { podAffinity: {} }, priorityClassName: "high", command: ["c"] },
      { userId: "none", affinity: { podAffinity: {} }, priorityClassName: "high", command: ["c"] },
    ],
  ];
  const plain = (config: PodConfig) => JSON.parse(JSON.stringify(config));
  for (const [what, base, own, merged] of cases) {
    it(what, () => assert.deepEqual(plain(mergePodConfigs(base, own)), plain(merged)));
    it(`${what}, but nothing with nothing`, () => {
      assert.deepEqual(plain(mergePodConfigs(own, {})), plain(own));
      assert.deepEqual(plain(mergePodConfigs({}, own)), plain(own));
    });
  }
});

describe("a configured pod", () => {
  const placement = {
    imagePullSecrets: [{ name: "registry" }],
    nodeSelector: { pool: "batch" },
    tolerations: [{ key: "pool", operator: "Equal", value: "batch", effect: "NoSchedule" }],
    affinity: { podAntiAffinity: {} },
    priorityClassName: "high",
  };
  const pods: Record<string, (pod: PlainPodConfig) => Template> = {
    "migration Job": job,
    backend: (pod) => backend({ pod }),
    restore: (pod) =>
      templateOf(
        restoreJobSpec({ verb: "list" }, "runner", {
          ...backendOptions,
          image: "postgres:17",
          timeoutSeconds: 60,
          pod,
        }),
      ),
  };
  for (const [name, template] of Object.entries(pods)) {
    it(`of the ${name} is unchanged without a configuration`, () => {
      assert.equal(JSON.stringify(template({})), JSON.stringify(template(undefined as unknown as PlainPodConfig)));
    });
    it(`of the ${name} runs where, and as whom, it is configured to`, () => {
      const { spec, metadata } = template({
        ...placement,
        userId: 2000,
        serviceAccountName: "other",
        labels: { team: "a" },
        annotations: { note: "b" },
      });
      for (const [field, value] of Object.entries(placement))
        assert.deepEqual(spec[field as keyof typeof placement], value, field);
      const { runAsUser, runAsGroup, fsGroup, runAsNonRoot } = spec.securityContext;
      assert.deepEqual([runAsUser, runAsGroup, fsGroup, runAsNonRoot], [2000, 2000, 2000, true]);
      assert.equal(spec.serviceAccountName, "other");
      assert.deepEqual([metadata.labels.team, metadata.annotations.note], ["a", "b"]);
    });
    it(`of the ${name} has no user id if that is left to the namespace`, () => {
      const { securityContext } = template({ userId: "none" }).spec;
      assert.deepEqual(
        ["runAsUser", "runAsGroup", "fsGroup"].filter((id) => id in securityContext),
        [],
      );
      assert.equal(securityContext.runAsNonRoot, true);
    });
    it(`of the ${name} starts sidecars before the project's own init containers`, () => {
      const sidecar = { name: "proxy", image: "proxy:1", restartPolicy: "Always" };
      const before = template({}).spec.initContainers ?? [];
      const [first, ...others] = template({ initContainers: [sidecar] }).spec.initContainers;
      assert.deepEqual(first, {
        ...sidecar,
        terminationMessagePolicy: "FallbackToLogsOnError",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      });
      assert.deepEqual(others, before);
    });
  }

  it("of the backend has other containers after the app's", () => {
    const exporter = { name: "exporter", image: "exporter:1" };
    const { containers } = backend({ pod: { containers: [exporter] } }).spec;
    assert.deepEqual(containers, [
      ...backend({}).spec.containers,
      {
        ...exporter,
        terminationMessagePolicy: "FallbackToLogsOnError",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ]);
  });

  it("of PostgreSQL runs where it is placed, also while its image is proven", () => {
    const options = { image: "postgres:17", imagePullPolicy: "Always", storage: "1Gi", secretName: "s", placement };
    for (const spec of [postgresDeploymentSpec(options), postgresImageJobSpec("postgres:17", "Always", placement)]) {
      const pod = templateOf(spec).spec;
      for (const [field, value] of Object.entries(placement))
        assert.deepEqual(pod[field as keyof typeof placement], value, field);
    }
  });
});

describe("a configured container", () => {
  const config: PlainPodConfig = {
    env: [{ name: "MAIL_FROM", value: "shop@example.com" }],
    envFrom: [{ secretRef: { name: "shop" } }],
    volumes: [{ name: "certificates", secret: { secretName: "c" } }],
    volumeMounts: [{ name: "certificates", mountPath: "/certificates" }],
    resources: { limits: { memory: "1Gi" } },
    securityContext: { readOnlyRootFilesystem: false },
  };
  const ours = job().spec.containers[0];
  const configured = job(config).spec.containers[0];
  const { spec } = backend({
    pod: config,
    gate: { env: [{ name: "ONLY", value: "gate" }], resources: { requests: { cpu: "1" } } },
  });
  const [app] = spec.containers;
  const [gate] = spec.initContainers;

  it("of the Job has the variables and mounts after the project's own", () => {
    assert.deepEqual(configured?.env, [...(ours?.env ?? []), { name: "MAIL_FROM", value: "shop@example.com" }]);
    assert.deepEqual(configured?.envFrom, config.envFrom);
    assert.deepEqual(configured?.volumeMounts, [...(ours?.volumeMounts ?? []), ...(config.volumeMounts ?? [])]);
    assert.deepEqual(configured?.command, ours?.command);
  });
  it("keeps requests, and the rest of the security context", () => {
    assert.deepEqual(configured?.resources, { requests: ours?.resources.requests, limits: { memory: "1Gi" } });
    assert.deepEqual(configured?.securityContext, { ...ours?.securityContext, readOnlyRootFilesystem: false });
  });
  it("of the gate has what env.py may need, and its own", () => {
    assert.deepEqual(gate?.env.slice(-2), [...(config.env ?? []), { name: "ONLY", value: "gate" }]);
    assert.deepEqual(gate?.envFrom, config.envFrom);
    assert.deepEqual(gate?.volumeMounts.slice(-1), config.volumeMounts);
    assert.deepEqual(gate?.resources.requests, { cpu: "1", memory: "96Mi" });
    assert.deepEqual(gate?.resources.limits, { memory: "512Mi" });
  });
  it("of the app has a command, which the gate doesn't get", () => {
    const commanded = backend({ pod: { command: ["serve"], args: ["--fast"] } }).spec;
    assert.deepEqual([commanded.containers[0]?.command, commanded.containers[0]?.args], [["serve"], ["--fast"]]);
    assert.deepEqual(commanded.initContainers, backend({}).spec.initContainers);
  });
  it("of the app has none of the gate's own variables", () => {
    assert.ok(app?.env.every(({ name }) => name !== "ONLY"));
  });
  it("keeps the constraint that spreads pods unless another of its key replaces it", () => {
    const zone = { topologyKey: "topology.kubernetes.io/zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" };
    const host = { ...zone, topologyKey: "kubernetes.io/hostname" };
    const keys = (...topologySpreadConstraints: (typeof zone)[]) =>
      backend({ pod: { topologySpreadConstraints } }).spec.topologySpreadConstraints.map((each) => [
        each.topologyKey,
        each.whenUnsatisfiable,
      ]);
    assert.deepEqual(keys(zone), [
      ["kubernetes.io/hostname", "ScheduleAnyway"],
      ["topology.kubernetes.io/zone", "DoNotSchedule"],
    ]);
    assert.deepEqual(keys(host), [["kubernetes.io/hostname", "DoNotSchedule"]]);
  });
});
