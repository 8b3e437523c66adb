import assert from "node:assert/strict";
import { find, type Registration, record } from "../support/recorder.ts";

const configuration = {
  "unity:context": "unity-local",
  "unity:image": "localhost/unity-backend:1",
  "unity:databasePassword": "correct horse",
};

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
  let outputs: typeof import("../../index.ts");

  before(async () => {
    ({ registrations, result: outputs } = await record(configuration, () => import("../../index.ts")));
  });

  const get = (type: string, name: string) => find(registrations, type, name);
  const job = () => get("kubernetes:batch/v1:Job", "migration-job");
  const deployment = () => get("kubernetes:apps/v1:Deployment", "backend");

  it("declares the Deployment after the Job, and the checks after the Deployment", () => {
    assert.ok(deployment().dependencies.includes(job().urn));
    for (const check of registrations.filter(({ type }) => type === "command:local:Command")) {
      assert.ok(check.dependencies.includes(deployment().urn), `${check.name} waits for the Deployment`);
    }
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
      ({ parent }) => parent === get("unity:index:BackendDeployment", "backend").urn,
    )) {
      assert.ok(follows(registrations, child, job()), `${child.name} follows the Job`);
    }
  });

  it("pins every object to one provider: the settings' context and namespace, taking over what exists", () => {
    const provider = get("pulumi:providers:kubernetes", "cluster");
    assert.equal(provider.inputs.context, "unity-local");
    assert.equal(provider.inputs.namespace, "unity");
    assert.equal(String(provider.inputs.upsertExistingObjects), "true");
    for (const { type, name, inputs } of registrations.filter(({ type }) => type.startsWith("kubernetes:"))) {
      if (type === "kubernetes:core/v1:Namespace") continue;
      assert.equal((inputs.metadata as { namespace?: string }).namespace, "unity", `namespace of ${name}`);
    }
  });

  it("keeps the password out of everything but the Secret", () => {
    const plain = registrations.filter(({ type }) => type !== "kubernetes:core/v1:Secret");
    assert.ok(!/correct(%20| )horse/.test(JSON.stringify(plain)));
  });

  it("exports the head, the Job's name and each check's result", () => {
    assert.equal(outputs.head, "add_plugin_execution");
    assert.equal(outputs.jobName, (job().inputs.metadata as { name: string }).name);
    assert.deepEqual(Object.keys(outputs.checks), ["revision", "pods", "health", "plugins", "tables"]);
  });
});
