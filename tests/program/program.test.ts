import assert from "node:assert/strict";
import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { runProgram } from "../../program.ts";
import { preservedPod } from "../../src/adoption/preserved-pod.ts";
import { checkNames } from "../../src/checks/names.ts";
import { objectsOf } from "../../src/cluster/objects.ts";
import { everyOwnSecret } from "../../src/manifests/database-secrets.ts";
import { accessRules, roleRules } from "../../src/manifests/roles.ts";
import type { StackOutputs } from "../../stack.ts";
import {
  answer,
  database,
  databaseAt,
  deployedPostgres,
  type FakeAnswers,
  fakeKubectl,
} from "../support/fake-kubectl.ts";
import { find, type Registration, record, whenKnown } from "../support/recorder.ts";

const configuration = {
  "unity:context": "unity-local",
  "unity:image": "localhost/unity-backend:1",
  "unity:databasePassword": "correct horse",
};

/** The part of a Job's spec that is read here. */
interface JobSpec {
  readonly template: { readonly metadata?: { readonly annotations?: Record<string, string> } };
}

/** The parts of a Job or a Deployment that are compared here. */
interface DeclaredWorkload {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly template: { readonly spec: types.output.core.v1.PodSpec } };
}

/** Whether `one` waits for `other`, straight or by way of what it waits for. */
function follows(registrations: readonly Registration[], one: Registration, other: Registration): boolean {
  return one.dependencies.some(
    (urn) =>
      urn === other.urn ||
      registrations.some((between) => between.urn === urn && follows(registrations, between, other)),
  );
}

describe("the program", () => {
  let registrations: Registration[];
  let outputs: StackOutputs;

  before(async () => {
    using fake = fakeKubectl();
    ({ registrations, result: outputs } = await record(configuration, () => runProgram(fake.kubectl)));
  });

  const get = (type: string, name: string) => find(registrations, type, name);
  const job = () => get("kubernetes:batch/v1:Job", "migration-job");
  const deployment = () => get("kubernetes:apps/v1:Deployment", "backend");

  it("declares the Deployment after the Job's wait, and the checks after the rollout's", () => {
    const wait = (name: string) => get("command:local:Command", name);
    assert.ok(follows(registrations, deployment(), job()));
    assert.ok(follows(registrations, deployment(), wait("migration-completion")));
    assert.ok(wait("verification-checks").dependencies.includes(wait("backend-rollout").urn));
  });

  it("keeps the components of stacks from before the package got its name", () => {
    const components = registrations.filter(({ type }) => type.startsWith("pulumi-alembic:"));
    assert.equal(new Set(components.map(({ type }) => type)).size, 5);
    for (const { type, formerTypes } of components)
      assert.deepEqual(formerTypes, [type.replace("pulumi-alembic", "unity")]);
  });

  it("declares the Job after the database and its Secret", () => {
    for (const [type, name] of [
      ["kubernetes:apps/v1:Deployment", "postgres"],
      ["kubernetes:core/v1:Secret", "postgres-credentials"],
    ] as const) {
      assert.ok(follows(registrations, job(), get(type, name)), `the Job follows ${name}`);
    }
  });

  it("declares nothing of the backend that could exist before the Job is done", () => {
    for (const child of registrations.filter(
      ({ parent }) => parent === get("pulumi-alembic:index:BackendDeployment", "backend").urn,
    )) {
      assert.ok(follows(registrations, child, job()), `${child.name} follows the Job`);
    }
  });

  it("gives every object a provider of the settings' context and namespace", () => {
    const provider = get("pulumi:providers:kubernetes", "cluster");
    assert.equal(provider.inputs.context, "unity-local");
    assert.equal(provider.inputs.namespace, "unity");
    assert.equal(String(provider.inputs.upsertExistingObjects), "true");
    for (const { type, name, inputs } of registrations.filter(({ type }) => type.startsWith("kubernetes:"))) {
      if (type === "kubernetes:core/v1:Namespace") continue;
      assert.equal((inputs.metadata as { namespace?: string }).namespace, "unity", `namespace of ${name}`);
    }
  });

  it("marks every object with its project and stack, but neither pods nor selectors", () => {
    for (const { type, name, inputs } of registrations.filter(({ type }) => type.startsWith("kubernetes:"))) {
      const { annotations = {} } = inputs.metadata as { annotations?: Record<string, string> };
      // The namespace outlives its stacks.
      const expected = type === "kubernetes:core/v1:Namespace" ? undefined : "unity/test";
      assert.equal(annotations["pulumi-alembic/owner"], expected, `owner of ${name}`);
      assert.doesNotMatch(JSON.stringify(inputs.spec ?? {}), /pulumi-alembic\/owner/, `spec of ${name}`);
    }
  });

  it("has Kubernetes hold the namespace's pods to the restricted standard", () => {
    const { metadata } = get("kubernetes:core/v1:Namespace", "namespace").inputs as { metadata: { labels: object } };
    for (const mode of ["enforce", "warn", "audit"])
      assert.equal(Reflect.get(metadata.labels, `pod-security.kubernetes.io/${mode}`), "restricted");
  });

  it("lets its pods say only what they must", () => {
    const policies = registrations.filter(({ type }) => type === "kubernetes:networking.k8s.io/v1:NetworkPolicy");
    assert.ok(policies.some(({ name }) => name === "unity-deny"));
    assert.ok(policies.some(({ name }) => name === "unity-to-postgres"));
  });

  it("keeps the password out of everything but the Secret", () => {
    const plain = registrations.filter(({ type }) => type !== "kubernetes:core/v1:Secret");
    assert.ok(!/correct(%20| )horse/.test(JSON.stringify(plain)));
  });

  it("exports the head, the Job's name and each check's result", async () => {
    const { head, jobName, checks = {} } = await whenKnown(pulumi.output(outputs));
    assert.equal(head, "add_plugin_execution");
    assert.equal(jobName, (job().inputs.metadata as { name: string }).name);
    assert.deepEqual(Object.keys(checks), [...checkNames]);
  });
});

describe("the program with configured pods", () => {
  const tolerations = [{ key: "pool", operator: "Exists" }];
  const pods = {
    common: { env: [{ name: "A", value: "1" }], tolerations },
    gate: { env: [{ name: "G", value: "1" }] },
    migration: { serviceAccountAnnotations: { role: "migrations" } },
  };
  const configured = { ...configuration, "unity:pods": JSON.stringify(pods), "unity:podSecurityStandard": "baseline" };
  let registrations: Registration[];

  before(async () => {
    using fake = fakeKubectl();
    ({ registrations } = await record(configured, () => runProgram(fake.kubectl)));
  });

  const podOf = (type: string, name: string) =>
    (find(registrations, type, name).inputs.spec as types.output.batch.v1.JobSpec).template.spec;

  it("places every pod, and gives the variables to the Job, the gate, and the backend", () => {
    const job = podOf("kubernetes:batch/v1:Job", "migration-job");
    const backend = podOf("kubernetes:apps/v1:Deployment", "backend");
    const postgres = podOf("kubernetes:apps/v1:Deployment", "postgres");
    for (const pod of [job, backend, postgres]) assert.deepEqual(pod.tolerations, tolerations);
    const variables = [...job.containers, ...backend.containers, ...backend.initContainers].map(({ env }) =>
      env.filter(({ name }) => ["A", "G"].includes(name)).map(({ name }) => name),
    );
    assert.deepEqual(variables, [["A"], ["A"], ["A", "G"]]);
  });

  it("annotates the service account, and has the namespace enforce the level", () => {
    const annotations = (type: string, name: string) =>
      (find(registrations, type, name).inputs.metadata as types.output.meta.v1.ObjectMeta).annotations;
    assert.equal(annotations("kubernetes:core/v1:ServiceAccount", "migration-account").role, "migrations");
    assert.equal(annotations("kubernetes:core/v1:ServiceAccount", "backend-account").role, undefined);
    const { metadata } = find(registrations, "kubernetes:core/v1:Namespace", "namespace").inputs;
    const { labels } = metadata as types.output.meta.v1.ObjectMeta;
    assert.equal(labels["pod-security.kubernetes.io/enforce"], "baseline");
  });
});

describe("the program on a database that is there", () => {
  async function runOn(row: string, jobs: readonly object[] = []): Promise<readonly Registration[]> {
    using fake = fakeKubectl({ list: { output: JSON.stringify({ items: jobs }) }, backend: databaseAt([row]) });
    const { registrations } = await record(configuration, () => runProgram(fake.kubectl));
    return registrations;
  }

  /** Asserts that the program fails with a message for the user, before it declares anything. */
  async function assertRejected(answers: Partial<FakeAnswers>, message: RegExp, settings: object = {}): Promise<void> {
    using fake = fakeKubectl(answers);
    const rejected = () =>
      assert.rejects(runProgram(fake.kubectl), (error: unknown) => {
        assert.ok(pulumi.RunError.isInstance(error), "shown without a stack trace");
        assert.match(error.message, message);
        return true;
      });
    const { registrations } = await record({ ...configuration, ...settings }, rejected);
    assert.deepEqual(registrations, []);
  }

  const jobName = (registrations: readonly Registration[]) =>
    (find(registrations, "kubernetes:batch/v1:Job", "migration-job").inputs.metadata as { name: string }).name;
  const job = (name: string, type: string) => ({
    kind: "Job",
    metadata: { name },
    status: { conditions: [{ type, status: "True" }] },
  });

  it("takes the next attempt's name after a failed Job, in plan and component", async () => {
    const first = jobName(await runOn("8f3d9e2a1c45"));
    assert.equal(jobName(await runOn("8f3d9e2a1c45", [job(first, "Failed")])), `${first}-2`);
  });

  it("gives a new Job its plan, and keeps that of an existing one", async () => {
    const planOf = (registrations: readonly Registration[]): unknown => {
      const { spec } = find(registrations, "kubernetes:batch/v1:Job", "migration-job").inputs as { spec: JobSpec };
      return spec.template.metadata?.annotations?.["pulumi-alembic/plan"];
    };
    const declared = await runOn("add_plugin_execution");
    const { version, direction, from, ...plan } = JSON.parse(String(planOf(declared)));
    assert.deepEqual(
      { version, direction, from },
      { version: 1, direction: "upgrade", from: ["add_plugin_execution"] },
    );
    assert.deepEqual(plan.database, database);
    assert.match(plan.hash, /^v4-[0-9a-f]{16}$/);
    const name = jobName(declared);
    const existing = (metadata: object) => ({ ...job(name, "Complete"), spec: { template: { metadata } } });
    const kept = await runOn("add_plugin_execution", [existing({ annotations: { "pulumi-alembic/plan": "earlier" } })]);
    assert.deepEqual([jobName(kept), planOf(kept)], [name, "earlier"]);
    const unplanned = await runOn("add_plugin_execution", [existing({})]);
    assert.deepEqual([jobName(unplanned), planOf(unplanned)], [name, undefined]);
  });

  const windowAt = (heads: readonly string[], end: object | null) =>
    answer({ image: "registry/unity-backend:2", startedAt: "2026-11-30T10:00:00+00:00", heads, end });

  it("rolls back to a release that the run record names, whose pods tolerate the head", async () => {
    const runs = windowAt(["add_plugin_execution"], null);
    using fake = fakeKubectl({ backend: databaseAt(["next"]), runs });
    const { registrations } = await record(configuration, () => runProgram(fake.kubectl));
    const files = find(registrations, "kubernetes:core/v1:ConfigMap", "migration-runner").inputs.data;
    assert.deepEqual(JSON.parse((files as Record<string, string>)["chain.json"] ?? "").tolerated, ["next"]);
    const env = JSON.stringify(find(registrations, "kubernetes:apps/v1:Deployment", "backend").inputs);
    assert.match(env, /"TOLERATED_REVISIONS","value":"next"|"value":"next","name":"TOLERATED_REVISIONS"/);
    const checks = find(registrations, "command:local:Command", "verification-checks").inputs.stdin;
    assert.deepEqual(JSON.parse(String(checks)).toleratedRevisions, ["next"]);
  });

  it("rejects a rollback that the run record rules out, before it declares anything", async () => {
    const end = { revision: "next", blocker: "drops what earlier code may use: DROP TABLE plugins" };
    await assertRejected(
      { backend: databaseAt(["next"]), runs: windowAt([], end) },
      /registry\/unity-backend:2 applied it at 2026-11-30.* because of revision next: drops .*: DROP TABLE plugins\./,
    );
  });

  it("stops at a right that the account lacks, before it declares anything", async () => {
    const ownSecrets = everyOwnSecret("homelab_app");
    const options = { namespace: "unity", hasVolumes: true, ownSecrets, existingSecrets: [], hasSeparateRoles: false };
    const granted = roleRules(accessRules("update", options)).filter(
      ({ resources }) => !(resources as string[]).includes("namespaces"),
    );
    const allowed = '{"allowed": true}'; // to create and to patch the namespace
    const access = { output: [JSON.stringify({ resourceRules: granted }), allowed, allowed].join("\n") };
    const message =
      /insufficient permissions in namespace unity \(.*\); no changes were made\. Missing:\n {2}get namespaces unity: /;
    await assertRejected({ access }, message);
  });

  const ofAdministrator = { "unity:createNamespace": "false" };
  it("declares no namespace where an administrator creates it", async () => {
    using fake = fakeKubectl();
    const { registrations } = await record({ ...configuration, ...ofAdministrator }, () => runProgram(fake.kubectl));
    assert.deepEqual(
      registrations.filter(({ type }) => type.endsWith(":Namespace")),
      [],
    );
    const job = find(registrations, "kubernetes:batch/v1:Job", "migration-job");
    assert.equal((job.inputs.metadata as { namespace: string }).namespace, "unity");
  });

  it("rejects a namespace without the enforced standard, before it declares anything", async () => {
    const message = /^namespace unity \(.*\) lacks the label pod-security\.kubernetes\.io\/enforce=restricted/;
    await assertRejected({ namespace: { output: "{}" } }, message, ofAdministrator);
  });

  it("goes on where the server does not say what the account may do", async () => {
    using fake = fakeKubectl({ backend: databaseAt(["add_plugin_execution"]), access: { error: "no such review" } });
    const { registrations } = await record(configuration, () => runProgram(fake.kubectl));
    assert.notDeepEqual(registrations, []);
  });

  const approvals = '[{"revision":"add_plugin_execution","rule":"truncate"}]';
  const stopping: readonly [what: string, row: string, settings: Record<string, string>, message: RegExp][] = [
    ["an unknown revision", "zz", {}, /Database is at zz, which is not in the lockfile \(8 revisions\)/],
    [
      "a plan other than the pinned one",
      "a1b2c3d4e5f6",
      { "unity:planHash": "v4-0000000000000000" },
      /plan is stale: .*\n.*\n.*pulumi config set planHash v4-[0-9a-f]{16}$/,
    ],
    [
      "an approval without a finding",
      "a1b2c3d4e5f6",
      { "unity:approvals": approvals },
      /unmatched unity:approvals:\n {2}- approvals\[0\]: revision add_plugin_execution has no finding truncate/,
    ],
  ];
  for (const [what, row, settings, message] of stopping) {
    it(`rejects ${what}, before it declares anything`, () =>
      assertRejected({ backend: databaseAt([row]) }, message, settings));
  }

  const runningPostgres = { list: { output: JSON.stringify({ items: [deployedPostgres] }) } };
  it("rejects a PostgreSQL image of another major version, before it declares anything", async () => {
    const message = /image postgres:18 contains PostgreSQL 18, which can't open the data of PostgreSQL 17; no changes/;
    const answers = { ...runningPostgres, postgres: { output: "17\n" } };
    await assertRejected(answers, message, { "unity:postgresImage": "postgres:18" });
  });

  it("declares another PostgreSQL image of the same major version", async () => {
    using fake = fakeKubectl({ ...runningPostgres, postgres: { output: "17\n" } });
    const settings = { ...configuration, "unity:postgresImage": "postgres:17.5" };
    const { registrations } = await record(settings, () => runProgram(fake.kubectl));
    assert.notDeepEqual(registrations, []);
  });

  it("rejects an empty database in place of that of an unmanaged backend", async () => {
    const backend = {
      kind: "Deployment",
      metadata: { name: "unity-backend" },
      spec: { selector: {}, template: { spec: { containers: [{ name: "app" }] } } },
    };
    const list = { output: JSON.stringify({ items: [backend] }) };
    const message = /Database is at 8f3d9e2a1c45[\s\S]*unity:database is owned/;
    await assertRejected({ list, backend: databaseAt(["8f3d9e2a1c45"]) }, message);
  });

  it("declares what an unmanaged backend had, again from the record of the Deployment", async () => {
    const settings = {
      "unity:context": "unity-local",
      "unity:image": "localhost/unity-backend:1",
      "unity:database": "external",
      "unity:databaseUrl": "postgresql://u:hunter2@db/unity",
    };
    const env = [{ name: "SIGNING_KEY", valueFrom: { secretKeyRef: { name: "shop", key: "SIGNING_KEY" } } }];
    const template = { spec: { nodeSelector: { pool: "web" }, containers: [{ name: "app", env }] } };
    const existing = (annotations: Record<string, string>) => ({
      kind: "Deployment" as const,
      metadata: { name: "unity-backend", annotations },
      spec: { selector: { matchLabels: { "app.kubernetes.io/name": "unity-backend" } }, template },
    });
    const declared = async (annotations: Record<string, string>) => {
      const list = { output: JSON.stringify({ items: [existing(annotations)] }) };
      using fake = fakeKubectl({ list, backend: databaseAt(["8f3d9e2a1c45"]) });
      return (await record(settings, () => runProgram(fake.kubectl))).registrations;
    };
    const workload = (all: readonly Registration[], type: string, name: string) =>
      find(all, type, name).inputs as unknown as DeclaredWorkload;
    const job = (all: readonly Registration[]) => workload(all, "kubernetes:batch/v1:Job", "migration-job");
    const preserved = JSON.stringify(preservedPod(objectsOf([existing({})])));
    const later = await declared({ "pulumi.com/patchForce": "true", "pulumi-alembic/preserved": preserved });
    const deployment = workload(later, "kubernetes:apps/v1:Deployment", "backend");
    for (const { spec } of [job(later), deployment]) {
      assert.deepEqual(spec.template.spec.nodeSelector, { pool: "web" });
      assert.ok(spec.template.spec.containers[0]?.env?.some(({ name }) => name === "SIGNING_KEY"));
    }
    assert.equal(deployment.metadata.annotations?.["pulumi-alembic/preserved"], preserved);
    assert.deepEqual(job(await declared({})), job(later));
  });

  describe("of another stack", () => {
    const annotations = { "pulumi.com/patchForce": "true", "pulumi-alembic/owner": "unity/first" };
    const claim = { kind: "PersistentVolumeClaim", metadata: { name: "postgres", annotations } };
    const list = { output: JSON.stringify({ items: [claim] }) };
    const secret = { output: "7 true unity/first\nDATABASE_URL" };

    it("is rejected with the owner's name, before anything is declared", async () => {
      const message =
        /Stack unity\/first owns resources of namespace unity that stack unity\/test would overwrite: .*persistentvolume/;
      await assertRejected({ list }, message);
      await assertRejected({ secret }, /Stack unity\/first owns .*: secret\/unity-database\. .* config set namespace /);
    });

    it("is adopted if the settings name the owner", async () => {
      using fake = fakeKubectl({ list, secret });
      const settings = { ...configuration, "unity:adoptFrom": "unity/first" };
      const { registrations } = await record(settings, () => runProgram(fake.kubectl));
      find(registrations, "kubernetes:core/v1:PersistentVolumeClaim", "postgres-data");
    });
  });
});
