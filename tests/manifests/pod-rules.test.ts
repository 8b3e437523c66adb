import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { backendDeploymentSpec } from "../../src/manifests/backend.ts";
import { migrateJobSpec } from "../../src/manifests/migrate-job.ts";
import type { PodConfig } from "../../src/manifests/pod-config.ts";
import {
  type ConfiguredPods,
  outputErrors,
  podConfigErrors,
  reservedVariables,
  reservedVolumes,
} from "../../src/manifests/pod-rules.ts";
import type { PodSecurityLevel } from "../../src/manifests/security.ts";
import { backendOptions } from "../support/options.ts";

function paths(config: PodConfig, pods: ConfiguredPods = "backend", level: PodSecurityLevel = "restricted"): string[] {
  return podConfigErrors(config, { pods, level, containers: ["unity-backend"] }).map(({ path }) => path);
}

/** Returns the pod spec of a workload as plain data. */
function podSpecOf(spec: object): Record<string, { name: string; env?: { name: string }[] }[]> {
  return (spec as { template: { spec: Record<string, { name: string; env?: { name: string }[] }[]> } }).template.spec;
}

const sidecar = { name: "proxy", image: "proxy:1", restartPolicy: "Always" };

describe("podConfigErrors", () => {
  const everything = {
    ...backendOptions,
    tls: { mode: "verify-full", caSecretName: "ca" } as const,
    applicationRole: { name: "app", secretName: "s", create: true },
    restorePointImage: "postgres:17",
    toleratedRevisions: ["a"],
  };
  const podSpecs = [migrateJobSpec(everything), backendDeploymentSpec(everything)].map(podSpecOf);
  it("reserves every variable of the project that decides what its containers do", () => {
    const containers = podSpecs.flatMap(({ containers = [], initContainers = [] }) => [
      ...containers,
      ...initContainers,
    ]);
    const names = containers
      .filter(({ name }) => name !== "restore-point")
      .flatMap(({ env = [] }) => env.map(({ name }) => name));
    const decisive = new Set(names.filter((name) => !name.startsWith("PYTHON")));
    assert.deepEqual([...decisive].sort(), [...reservedVariables].sort());
  });
  it("declares optional variables, too, so that envFrom can't set them", () => {
    const plain = [migrateJobSpec(backendOptions), backendDeploymentSpec(backendOptions)].map(podSpecOf);
    const declared = (name: string) =>
      plain
        .flatMap(({ containers = [], initContainers = [] }) => [...initContainers, ...containers])
        .filter(({ env = [] }) => env.some((variable) => variable.name === name))
        .map((container) => container.name);
    assert.deepEqual(declared("MIGRATION_PLAN"), ["migrate", "migrate"]);
    assert.deepEqual(declared("TOLERATED_REVISIONS"), ["unity-backend"]);
  });
  it("reserves every volume of the project but tmp", () => {
    const names = new Set(podSpecs.flatMap(({ volumes = [] }) => volumes.map(({ name }) => name)));
    names.delete("tmp");
    assert.deepEqual([...names].sort(), [...reservedVolumes].sort());
  });

  const accepted: Record<string, PodConfig> = {
    nothing: {},
    "variables by value and by reference": {
      env: [
        { name: "A", value: "b" },
        { name: "PYTHONPATH", value: "/lib" },
      ],
      envFrom: [{ secretRef: { name: "s" } }],
    },
    "a sidecar of the restricted standard": { initContainers: [sidecar] },
    "another type of tmp": { volumes: [{ name: "tmp", emptyDir: { medium: "Memory" } }] },
    "a mount of its own volume": {
      volumes: [{ name: "v", secret: { secretName: "s" } }],
      volumeMounts: [{ name: "v", mountPath: "/opt" }],
    },
    "a writable root file system": { securityContext: { readOnlyRootFilesystem: false } },
    "a port below 1024": { securityContext: { capabilities: { add: ["NET_BIND_SERVICE"] } } },
    "a user id, or none": { userId: "none" },
  };
  for (const [what, config] of Object.entries(accepted))
    it(`accepts ${what}`, () => assert.deepEqual(paths(config), []));

  const rejected: readonly [what: string, config: PodConfig, path: string][] = [
    ["another URL", { env: [{ name: "A" }, { name: "DATABASE_URL", value: "x" }] }, "env[1].name"],
    ["another server", { env: [{ name: "PGHOSTADDR", value: "::1" }] }, "env[0].name"],
    ["another TLS mode", { env: [{ name: "PGSSLMODE", value: "disable" }] }, "env[0].name"],
    ["another runner volume", { volumes: [{ name: "runner", emptyDir: {} }] }, "volumes[0].name"],
    ["another gate", { initContainers: [{ name: "migrate", image: "x" }] }, "initContainers[0].name"],
    ["another restore point", { initContainers: [{ name: "restore-point", image: "x" }] }, "initContainers[0].name"],
    ["another app", { containers: [{ name: "unity-backend", image: "x" }] }, "containers[0].name"],
    ["the app as a sidecar", { initContainers: [{ name: "unity-backend", image: "x" }] }, "initContainers[0].name"],
    [
      "a mount over the runner",
      { volumeMounts: [{ name: "tmp", mountPath: "/opt/migration-runner/" }] },
      "volumeMounts[0].mountPath",
    ],
    [
      "a mount below the runner",
      { volumeMounts: [{ name: "tmp", mountPath: "/opt/x/../migration-runner/a" }] },
      "volumeMounts[0].mountPath",
    ],
    [
      "a mount over the CA",
      { volumeMounts: [{ name: "tmp", mountPath: "/etc/database-ca" }] },
      "volumeMounts[0].mountPath",
    ],
    ["a mount of an unknown volume", { volumeMounts: [{ name: "runner", mountPath: "/r" }] }, "volumeMounts[0].name"],
    [
      "a sidecar's mount of the dumps",
      { initContainers: [{ ...sidecar, volumeMounts: [{ name: "restore-points", mountPath: "/d" }] }] },
      "initContainers[0].volumeMounts[0].name",
    ],
    ["the label of the app's pods", { labels: { "pulumi-alembic/app": "x" } }, 'labels["pulumi-alembic/app"]'],
    ["the label of the selector", { labels: { "app.kubernetes.io/name": "x" } }, 'labels["app.kubernetes.io/name"]'],
    ["the plan", { annotations: { "pulumi-alembic/plan": "{}" } }, 'annotations["pulumi-alembic/plan"]'],
    [
      "annotations of an existing account",
      { serviceAccountName: "a", serviceAccountAnnotations: {} },
      "serviceAccountAnnotations",
    ],
    ["root", { userId: 0 }, "userId"],
  ];
  for (const [what, config, path] of rejected) it(`rejects ${what}`, () => assert.deepEqual(paths(config), [path]));

  const [v, w] = [
    { name: "v", emptyDir: {} },
    { name: "w", emptyDir: {} },
  ];
  const [spread, other] = [
    { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" },
    { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" },
  ];
  const repeated: readonly [config: PodConfig, path: string, first: string][] = [
    [{ env: [{ name: "A" }, { name: "B" }, { name: "A", value: "" }] }, "env[2].name", "env[0]"],
    [{ volumes: [v, w, v] }, "volumes[2].name", "volumes[0]"],
    [{ initContainers: [sidecar, sidecar] }, "initContainers[1].name", "initContainers[0]"],
    [{ imagePullSecrets: [{ name: "a" }, { name: "a" }] }, "imagePullSecrets[1].name", "imagePullSecrets[0]"],
    [
      { topologySpreadConstraints: [spread, other] },
      "topologySpreadConstraints[1].topologyKey",
      "topologySpreadConstraints[0]",
    ],
    [
      {
        volumeMounts: [
          { name: "tmp", mountPath: "/a" },
          { name: "tmp", mountPath: "/b/../a/" },
        ],
      },
      "volumeMounts[1].mountPath",
      "volumeMounts[0]",
    ],
    [
      { initContainers: [{ ...sidecar, env: [{ name: "A" }, { name: "A" }] }] },
      "initContainers[0].env[1].name",
      "initContainers[0].env[0]",
    ],
  ];
  for (const [config, path, first] of repeated) {
    it(`rejects a repeated ${path}`, () => {
      const [error, ...others] = podConfigErrors(config, { pods: "backend", level: "restricted" });
      assert.deepEqual([error?.path, others.length], [path, 0]);
      assert.equal(error?.allowed, `unique: ${first} has the same`);
    });
  }

  it("rejects a label that an adopted selector requires", () => {
    const rules = { pods: "backend", level: "restricted", selected: ["app"] } as const;
    const [error] = podConfigErrors({ labels: { app: "x" } }, rules);
    assert.equal(error?.path, 'labels["app"]');
  });

  it("rejects a command where the runner's decides what runs", () => {
    const config = { command: ["sh"], args: ["-c"] };
    assert.deepEqual(paths(config, "backend"), []);
    for (const pods of ["migration", "gate", "common"] as const)
      assert.deepEqual(paths(config, pods), ["command", "args"]);
  });

  it("rejects containers beside the app's where a Job would never complete", () => {
    const config = { containers: [sidecar] };
    assert.deepEqual(paths(config, "backend"), []);
    for (const pods of ["migration", "gate", "common"] as const) assert.deepEqual(paths(config, pods), ["containers"]);
  });

  const hostProcess = "securityContext.windowsOptions.hostProcess";
  const standard: readonly [what: string, config: PodConfig, path: string, level: "restricted" | "baseline"][] = [
    ["a privileged container", { securityContext: { privileged: true } }, "securityContext.privileged", "baseline"],
    [
      "a capability",
      { securityContext: { capabilities: { add: ["NET_ADMIN"] } } },
      "securityContext.capabilities.add[0]",
      "baseline",
    ],
    [
      "a capability of the baseline",
      { securityContext: { capabilities: { add: ["CHOWN"] } } },
      "securityContext.capabilities.add[0]",
      "restricted",
    ],
    [
      "kept capabilities",
      { securityContext: { capabilities: { drop: [] } } },
      "securityContext.capabilities.drop",
      "restricted",
    ],
    [
      "privilege escalation",
      { securityContext: { allowPrivilegeEscalation: true } },
      "securityContext.allowPrivilegeEscalation",
      "restricted",
    ],
    ["a container as root", { securityContext: { runAsNonRoot: false } }, "securityContext.runAsNonRoot", "restricted"],
    ["user 0", { securityContext: { runAsUser: 0 } }, "securityContext.runAsUser", "restricted"],
    ["files of the node", { volumes: [{ name: "v", hostPath: { path: "/" } }] }, "volumes[0].hostPath", "baseline"],
    ["an NFS volume", { volumes: [{ name: "v", nfs: { server: "s", path: "/" } }] }, "volumes[0].nfs", "restricted"],
    ["a process of the node", { securityContext: { windowsOptions: { hostProcess: true } } }, hostProcess, "baseline"],
    [
      "a privileged sidecar",
      { initContainers: [{ ...sidecar, securityContext: { privileged: true } }] },
      "initContainers[0].securityContext.privileged",
      "baseline",
    ],
    [
      "a privileged container beside the app",
      { containers: [{ ...sidecar, securityContext: { privileged: true } }] },
      "containers[0].securityContext.privileged",
      "baseline",
    ],
  ];
  for (const [what, config, path, level] of standard) {
    it(`rejects ${what} up to the level ${level}`, () => {
      assert.deepEqual(paths(config, "backend", "restricted"), [path]);
      assert.deepEqual(paths(config, "backend", "baseline"), level === "baseline" ? [path] : []);
      assert.deepEqual(paths(config, "backend", "privileged"), []);
    });
  }

  /** Controls of the baseline, by the path of the value that each restricts. */
  const controls: Record<string, [of: (value: string) => PodConfig, allowed: string[], forbidden: string[]]> = {
    "securityContext.seccompProfile.type": [
      (type) => ({ securityContext: { seccompProfile: { type } } }),
      ["RuntimeDefault", "Localhost"],
      ["Unconfined", ""],
    ],
    "securityContext.appArmorProfile.type": [
      (type) => ({ securityContext: { appArmorProfile: { type } } }),
      ["RuntimeDefault", "Localhost"],
      ["Unconfined", ""],
    ],
    'annotations["container.apparmor.security.beta.kubernetes.io/migrate"]': [
      (profile) => ({ annotations: { "container.apparmor.security.beta.kubernetes.io/migrate": profile } }),
      ["runtime/default", "localhost/app", ""],
      ["unconfined", "runtime/other"],
    ],
    "securityContext.seLinuxOptions.type": [
      (type) => ({ securityContext: { seLinuxOptions: { type, level: "s0:c1,c2" } } }),
      ["container_t", "container_init_t", "container_kvm_t", "container_engine_t", ""],
      ["spc_t"],
    ],
    "securityContext.seLinuxOptions.user": [
      (user) => ({ securityContext: { seLinuxOptions: { user } } }),
      [""],
      ["system_u"],
    ],
    "securityContext.seLinuxOptions.role": [
      (role) => ({ securityContext: { seLinuxOptions: { role } } }),
      [""],
      ["system_r"],
    ],
    "securityContext.procMount": [(procMount) => ({ securityContext: { procMount } }), ["Default"], ["Unmasked"]],
    "initContainers[0].securityContext.seLinuxOptions.user": [
      (user) => ({ initContainers: [{ ...sidecar, securityContext: { seLinuxOptions: { user } } }] }),
      [""],
      ["system_u"],
    ],
    "initContainers[0].ports[0].hostPort": [
      (port) => ({ initContainers: [{ ...sidecar, ports: [{ containerPort: 1, hostPort: Number(port) }] }] }),
      ["0"],
      ["1"],
    ],
    "initContainers[0].startupProbe.httpGet.host": [
      (host) => ({ initContainers: [{ ...sidecar, startupProbe: { httpGet: { host, port: 1 } } }] }),
      [""],
      ["169.254.169.254"],
    ],
    "initContainers[0].livenessProbe.tcpSocket.host": [
      (host) => ({ initContainers: [{ ...sidecar, livenessProbe: { tcpSocket: { host, port: 1 } } }] }),
      [""],
      ["127.0.0.1"],
    ],
    "initContainers[0].lifecycle.preStop.httpGet.host": [
      (host) => ({ initContainers: [{ ...sidecar, lifecycle: { preStop: { httpGet: { host, port: 1 } } } }] }),
      [""],
      ["localhost"],
    ],
  };
  for (const [path, [of, allowed, forbidden]] of Object.entries(controls)) {
    it(`restricts ${path}`, () => {
      for (const level of ["restricted", "baseline"] as const) {
        for (const value of allowed) assert.deepEqual(paths(of(value), "backend", level), [], value);
        for (const value of forbidden) assert.deepEqual(paths(of(value), "backend", level), [path], value);
      }
      for (const value of forbidden) assert.deepEqual(paths(of(value), "backend", "privileged"), [], value);
    });
  }
  it("accepts the types of volumes of the restricted level only", () => {
    const typed = (type: string) => paths({ volumes: [{ name: "v", [type]: {} }] });
    const types = "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret";
    for (const type of types.split(" ")) assert.deepEqual(typed(type), [], type);
    for (const type of ["gitRepo", "iscsi", "fc"]) assert.deepEqual(typed(type), [`volumes[0].${type}`]);
  });
});

describe("outputErrors", () => {
  const output = pulumi.output("x") as unknown as string;
  it("finds outputs at any depth, because the Job's name depends on them", () => {
    const config = {
      env: [{ name: "A", value: output }],
      annotations: { a: output },
      volumes: output as unknown as [],
    };
    assert.deepEqual(
      outputErrors(config).map(({ path }) => path),
      ["env[0].value", "annotations.a", "volumes"],
    );
  });
  it("accepts those of the service account, which is another object", () => {
    assert.deepEqual(outputErrors({ serviceAccountAnnotations: { role: output } }), []);
  });
});
