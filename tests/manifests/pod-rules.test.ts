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
  return podConfigErrors(config, { pods, level }).map(({ path }) => path);
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
  const podSpecs = [migrateJobSpec(everything), backendDeploymentSpec(everything)].map(
    (spec) =>
      (spec as unknown as { template: { spec: Record<string, { name: string; env?: { name: string }[] }[]> } }).template
        .spec,
  );
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
    ["another TLS mode", { env: [{ name: "PGSSLMODE", value: "disable" }] }, "env[0].name"],
    ["another runner volume", { volumes: [{ name: "runner", emptyDir: {} }] }, "volumes[0].name"],
    ["another gate", { initContainers: [{ name: "migrate", image: "x" }] }, "initContainers[0].name"],
    ["another restore point", { initContainers: [{ name: "restore-point", image: "x" }] }, "initContainers[0].name"],
    ["another app", { containers: [{ name: "unity-backend", image: "x" }] }, "containers[0].name"],
    ["the app as a sidecar", { initContainers: [{ name: "unity-backend", image: "x" }] }, "initContainers[0].name"],
    [
      "a mount over the runner",
      { volumeMounts: [{ name: "tmp", mountPath: "/opt/unity-runner/" }] },
      "volumeMounts[0].mountPath",
    ],
    [
      "a mount below the runner",
      { volumeMounts: [{ name: "tmp", mountPath: "/opt/x/../unity-runner/a" }] },
      "volumeMounts[0].mountPath",
    ],
    [
      "a mount over the CA",
      { volumeMounts: [{ name: "tmp", mountPath: "/etc/unity-database-ca" }] },
      "volumeMounts[0].mountPath",
    ],
    ["a mount of an unknown volume", { volumeMounts: [{ name: "runner", mountPath: "/r" }] }, "volumeMounts[0].name"],
    [
      "a sidecar's mount of the dumps",
      { initContainers: [{ ...sidecar, volumeMounts: [{ name: "restore-points", mountPath: "/d" }] }] },
      "initContainers[0].volumeMounts[0].name",
    ],
    ["the label of the selector", { labels: { "app.kubernetes.io/name": "x" } }, 'labels["app.kubernetes.io/name"]'],
    ["the plan", { annotations: { "unity/plan": "{}" } }, 'annotations["unity/plan"]'],
    [
      "annotations of an existing account",
      { serviceAccountName: "a", serviceAccountAnnotations: {} },
      "serviceAccountAnnotations",
    ],
    ["root", { userId: 0 }, "userId"],
  ];
  for (const [what, config, path] of rejected) it(`rejects ${what}`, () => assert.deepEqual(paths(config), [path]));

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
      "no seccomp profile",
      { securityContext: { seccompProfile: { type: "Unconfined" } } },
      "securityContext.seccompProfile.type",
      "baseline",
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
    [
      "a port of the node",
      { initContainers: [{ ...sidecar, ports: [{ containerPort: 1, hostPort: 1 }] }] },
      "initContainers[0].ports[0].hostPort",
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
