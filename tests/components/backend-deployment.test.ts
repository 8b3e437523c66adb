import assert from "node:assert/strict";
import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { BackendDeployment, type BackendDeploymentArgs } from "../../components/backend-deployment.ts";
import { withoutSecrets } from "../../components/pod-config.ts";
import { backendDeploymentSpec } from "../../src/manifests/backend.ts";
import type { PodConfig } from "../../src/manifests/pod-config.ts";
import { backendOptions } from "../support/options.ts";
import { find, record } from "../support/recorder.ts";

describe("BackendDeployment", () => {
  it("declares Deployment and Service without the provider's wait, and a rollout wait", async () => {
    const { registrations, result } = await record(
      {},
      () => new BackendDeployment("backend", { ...backendOptions, namespace: "unity", context: "c", jobName: "job-1" }),
    );
    const own = find(registrations, BackendDeployment.token, "backend");
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "backend");
    const service = find(registrations, "kubernetes:core/v1:Service", "backend-service");
    const wait = find(registrations, "command:local:Command", "backend-rollout");
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "backend-account");
    const disruptionBudget = find(registrations, "kubernetes:policy/v1:PodDisruptionBudget", "backend-budget");
    assert.equal(registrations.length, 6);
    const parents = [deployment, service, wait, account, disruptionBudget].map(({ parent }) => parent);
    assert.deepEqual(new Set(parents), new Set([own.urn]));
    assert.deepEqual(new Set(deployment.dependencies), new Set([service.urn, account.urn]));
    assert.equal(String(account.inputs.automountServiceAccountToken), "false");
    assert.deepEqual(wait.dependencies, [deployment.urn]);
    assert.deepEqual(wait.inputs, {
      interpreter: ["node", "src/cluster/wait/main.ts"],
      create: "rollout",
      stdin: JSON.stringify({ context: "c", namespace: "unity", name: "unity-backend", timeoutSeconds: 270 }),
      triggers: ["backend-uid/1/job-1"],
      logging: "stdout",
      addPreviousOutputInEnv: false,
    });
    assert.deepEqual(deployment.inputs.spec, backendDeploymentSpec(backendOptions));
    const common = {
      "pulumi.com/patchForce": "true",
      "pulumi.com/skipAwait": "true",
      "pulumi-alembic/owner": "unity/test",
    };
    for (const [{ inputs }, expected] of [
      [deployment, { ...common, "pulumi.com/patchFieldManager": "unity" }],
      [service, common],
    ] as const) {
      const { name, annotations } = inputs.metadata as { name: string; annotations: Record<string, string> };
      assert.deepEqual([name, annotations], ["unity-backend", expected]);
    }
    const rollout = await new Promise((resolve) => result.rollout.apply(resolve));
    assert.equal(rollout, "backend-uid/1/job-1");
  });

  const declare = (changed: Partial<BackendDeploymentArgs>) =>
    record({}, () => new BackendDeployment("backend", { ...backendOptions, namespace: "n", context: "c", ...changed }));

  it("takes outputs in its pods, and annotates its service account", async () => {
    const pod: PodConfig = {
      env: [{ name: "QUEUE", value: pulumi.output("jobs") }],
      serviceAccountAnnotations: { "eks.amazonaws.com/role-arn": pulumi.output("arn:role") },
    };
    const { registrations } = await declare({ pod, gate: { env: [{ name: "GATE", value: "1" }] } });
    const { spec } = find(registrations, "kubernetes:apps/v1:Deployment", "backend").inputs;
    const { containers, initContainers } = (spec as k8s.types.output.apps.v1.DeploymentSpec).template.spec;
    const queue = { name: "QUEUE", value: "jobs" };
    assert.deepEqual(containers[0]?.env.at(-1), queue);
    assert.deepEqual(initContainers[0]?.env.slice(-2), [queue, { name: "GATE", value: "1" }]);
    const { metadata } = find(registrations, "kubernetes:core/v1:ServiceAccount", "backend-account").inputs;
    const { annotations } = metadata as k8s.types.output.meta.v1.ObjectMeta;
    assert.deepEqual(annotations, {
      "eks.amazonaws.com/role-arn": "arn:role",
      "pulumi.com/patchForce": "true",
      "pulumi-alembic/owner": "unity/test",
    });
  });

  const invalid: Record<string, readonly [Partial<BackendDeploymentArgs>, RegExp]> = {
    "another database": [
      { pod: { env: [{ name: "DATABASE_URL", value: "x" }] }, gate: { env: [{ name: "MIGRATION_PLAN", value: "x" }] } },
      /pod\.env\[0\]\.name "DATABASE_URL": must be .*\n {2}- invalid gate\.env\[0\]\.name "MIGRATION_PLAN"/,
    ],
    "a label that an adopted selector requires": [
      { pod: { labels: { app: "x" } }, preserved: { podLabels: { app: "old" } } },
      /pod\.labels\["app"\] "x": must be left out/,
    ],
    "privileges that are not waived": [
      { pod: { securityContext: { privileged: true } }, podSecurityStandard: "baseline" },
      /pod\.securityContext\.privileged true: must be false under the baseline Pod Security Standard/,
    ],
  };
  for (const [what, [changed, message]] of Object.entries(invalid)) {
    it(`rejects ${what} with every error`, () => assert.rejects(declare(changed), message));
  }

  it("rejects a secret output as the value of a variable, without its value", async () => {
    const component = {
      env: [
        { name: "KEY", value: pulumi.secret("hunter2") },
        { name: "A", value: "b" },
      ],
    };
    const { env } = withoutSecrets({} as pulumi.Resource, "pod", component) ?? {};
    const [key, plain] = env ?? [];
    assert.deepEqual(plain, { name: "A", value: "b" });
    const { value: verified } = key ?? assert.fail("no variable");
    const value = (verified as unknown as { promise(): Promise<string> }).promise();
    await assert.rejects(value, (error: Error) => {
      assert.match(error.message, /pod\.env: KEY is a secret, but pod specs show their values: put it into a Secret/);
      return !error.message.includes("hunter2");
    });
  });
});
