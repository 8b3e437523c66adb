import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { MigrationJob } from "../../components/migration-job.ts";
import type { MigrationPlan } from "../../components/migration-plan.ts";
import { PostDeployVerification, type PostDeployVerificationArgs } from "../../components/post-deploy-verification.ts";
import { checkNames } from "../../src/checks/names.ts";
import { type DeclaredRelease, formatVerification } from "../../src/checks/result.ts";
import { unity } from "../../src/manifests/app.ts";
import { linearLock } from "../fixtures/chains/locks.ts";
import { backendOptions } from "../support/options.ts";
import { planOf } from "../support/plans.ts";
import { find, record, whenKnown } from "../support/recorder.ts";

const options = {
  app: unity,
  imagePullPolicy: "IfNotPresent",
  lock: linearLock("r1"),
  runnerFiles: {},
  timeouts: backendOptions.timeouts,
};
const plan: MigrationPlan = { ...planOf(options, { image: "i:1", secretName: "s" }), ownsPostgres: true };
const workload = { deploymentName: "unity-backend", rollout: "uid/7" };

/** Declares the verification of a migration's release. */
function declare(args: Partial<PostDeployVerificationArgs> = {}) {
  const migration = new MigrationJob("migration", { plan: { ...plan } });
  const all = { migration, workloads: [workload], checks: checkNames, ...args };
  return new PostDeployVerification("verification", all);
}

describe("PostDeployVerification", () => {
  it("declares a command for all checks, rerun by every rollout, with results by name", async () => {
    const { registrations, result } = await record({}, declare);
    const { inputs, parent } = find(registrations, "command:local:Command", "verification-checks");
    assert.equal(parent, find(registrations, PostDeployVerification.token, "verification").urn);
    const { stdin, triggers, ...others } = inputs;
    assert.deepEqual(others, {
      interpreter: ["node", "src/checks/main.ts"],
      create: "all",
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    const { release, ...target } = JSON.parse(String(stdin));
    assert.deepEqual(target, {
      context: "c",
      namespace: "unity",
      head: "r1",
      toleratedRevisions: [],
      owned: true,
      irreversible: [],
      lockFile: "backend/migrations.lock.json",
      workloads: ["unity-backend"],
      checks: checkNames,
    });
    assert.deepEqual([release.head, release.image, release.migrationImage], ["r1", "i:1", "i:1"]);
    assert.deepEqual(triggers, [release.jobName, "uid/7"]);
    const results = await whenKnown(result.results);
    assert.deepEqual(results, Object.fromEntries(checkNames.map((name) => [name, { name, passed: true }])));
  });

  it("rejects invalid checks before anything is verified", async () => {
    const invalid = record({}, () => declare({ checks: [{ kind: "http", path: "healthz" }] }));
    await assert.rejects(invalid, /invalid verification:\n {2}- invalid checks\[0\]\.path "healthz"/);
  });

  const release = { head: "r1" } as DeclaredRelease;
  const previous: readonly [what: string, stdout: string | undefined, verified: DeclaredRelease | undefined][] = [
    ["the release of the last run if the update doesn't run them", formatVerification(release, []), release],
    ["no release if they have never run", undefined, undefined],
    ["no release for results of an earlier format", '[{"name":"pods","passed":true}]', undefined],
  ];
  for (const [what, stdout, verified] of previous) {
    it(`has ${what}`, async () => {
      const { result } = await record({}, declare, {}, () => stdout);
      assert.deepEqual(await whenKnown(result.release), verified);
    });
  }

  it("waits for the rollout of each Deployment before the checks", async () => {
    const { registrations } = await record({}, () => {
      const web = new k8s.apps.v1.Deployment("web", { metadata: { name: "web" }, spec: {} as never });
      declare({ workloads: [web, "worker"] });
    });
    const waits = [1, 2].map((number) =>
      find(registrations, "command:local:Command", `verification-rollout-${number}`),
    );
    assert.deepEqual(
      waits.map(({ inputs }) => JSON.parse(String(inputs.stdin)).name),
      ["web", "worker"],
    );
    assert.deepEqual(waits[0]?.inputs.triggers, ["web-uid/1"]);
    const { inputs, dependencies } = find(registrations, "command:local:Command", "verification-checks");
    for (const { urn } of waits) assert.ok(dependencies.includes(urn), urn);
    assert.deepEqual(JSON.parse(String(inputs.stdin)).workloads, ["web", "worker"]);
    assert.equal((inputs.triggers as string[])[1], "web-uid/1");
  });

  it("waits for a Deployment whose name is an output, again if a trigger changes", async () => {
    const { registrations } = await record({}, () =>
      declare({ workloads: [pulumi.output("worker")], triggers: [pulumi.output(7)] }),
    );
    const wait = find(registrations, "command:local:Command", "verification-rollout-1");
    assert.equal(JSON.parse(String(wait.inputs.stdin)).name, "worker");
    assert.deepEqual(wait.inputs.triggers, ["7"]);
    const { inputs, dependencies } = find(registrations, "command:local:Command", "verification-checks");
    assert.ok(dependencies.includes(wait.urn));
    assert.deepEqual(JSON.parse(String(inputs.stdin)).workloads, ["worker"]);
    assert.equal((inputs.triggers as string[])[1], "7");
  });

  it("runs the checks again after the rollout of a Deployment that it depends on", async () => {
    const { registrations } = await record({}, () => {
      const web = new k8s.apps.v1.Deployment("web", { metadata: { name: "web" }, spec: {} as never });
      const migration = new MigrationJob("migration", { plan });
      new PostDeployVerification(
        "verification",
        { migration, workloads: ["web"], checks: ["pods"] },
        { dependsOn: [web] },
      );
    });
    const { inputs } = find(registrations, "command:local:Command", "verification-checks");
    assert.equal((inputs.triggers as string[])[1], "web-uid/1");
  });

  it("rejects a second verification of a migration, which would replace the first", async () => {
    const twice = record({}, () => {
      const migration = new MigrationJob("migration", { plan: { ...plan } });
      for (const name of ["web", "worker"])
        new PostDeployVerification(name, { migration, workloads: [name], checks: ["pods"] });
    });
    await assert.rejects(twice, /the migration has another verification: pass all workloads and checks to one/);
  });

  const invalid: readonly (readonly [what: string, args: () => object, message: RegExp])[] = [
    ["no workloads", () => ({ workloads: undefined }), /workloads is missing: must be a non-empty list/],
    ["a workload that is missing", () => ({ workloads: [undefined] }), /workloads\[0\] is missing/],
    [
      "a workload that is not a Deployment",
      () => ({ workloads: [new k8s.core.v1.Pod("web")] }),
      /invalid workloads\[0\] "another resource than a Deployment": must be the name of an object/,
    ],
    ["a timeout of 0", () => ({ rolloutTimeoutSeconds: 0 }), /invalid rolloutTimeoutSeconds 0: must be an integer/],
  ];
  for (const [what, args, message] of invalid) {
    it(`rejects ${what}`, async () => {
      await assert.rejects(
        record({}, () => declare(args() as Partial<PostDeployVerificationArgs>)),
        message,
      );
    });
  }
});
