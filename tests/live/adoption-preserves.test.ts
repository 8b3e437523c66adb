import assert from "node:assert/strict";
import type { Deployment } from "../../src/cluster/objects.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";
import { UnmanagedDeployment } from "../support/unmanaged.ts";

type Pod = Deployment["spec"]["template"];

/** Returns a pod template without what the project adds: the gate, its volume, `/tmp`, and fields of its own. */
function operatorsPart({ metadata, spec }: Pod): object {
  const { initContainers = [], containers, volumes = [], nodeSelector, tolerations, affinity, imagePullSecrets } = spec;
  const containerPart = ({
    env,
    envFrom,
    resources,
    volumeMounts = [],
    command,
    args,
  }: Pod["spec"]["containers"][number]) => ({
    ...{ envFrom, resources, command, args },
    env: env?.filter(({ name }) => name !== "TOLERATED_REVISIONS"), // empty
    volumeMounts: volumeMounts.filter(({ mountPath }) => mountPath !== "/tmp"),
  });
  return {
    labels: { app: metadata?.labels?.app, team: metadata?.labels?.team },
    scrape: metadata?.annotations?.["example.com/scrape"],
    app: containers.filter(({ name }) => name === "unity-backend").map(containerPart),
    others: [...initContainers.filter(({ name }) => name !== "migrate"), ...containers].filter(
      ({ name }) => name !== "unity-backend",
    ),
    volumes: volumes.filter(({ name }) => !["runner", "tmp"].includes(name)),
    ...{ nodeSelector, tolerations, affinity, imagePullSecrets },
  };
}

describe("an existing backend with variables, volumes, resources, placement, and sidecars", () => {
  const stack = liveStack("adoption-preserves");
  const { kubectl, namespace } = stack;
  const unmanaged = new UnmanagedDeployment(kubectl, namespace);
  // Its database's URL is in a Secret that exists, so that this variable stays as it is, too.
  const settings = { database: "external", databaseSecret: "unity-secrets", networkPolicies: "false" };
  const run = async (verb: "preview" | "up", flags: readonly string[] = [], values: object = {}) => {
    const { exitCode, output } = await (await stack.engine({ ...settings, ...values })).run(verb, flags);
    assert.equal(exitCode, 0, output);
    return output;
  };
  const template = async () => (await kubectl.get<Deployment>("deployment", "unity-backend")).spec.template;
  const app = async () => (await template()).spec.containers.find(({ name }) => name === "unity-backend");
  let unmanagedPod: Pod;

  before(async () => {
    await unmanaged.setUp("backend-configured.yaml");
    unmanagedPod = await template();
  });
  after(() => stack.remove());

  it("is previewed without a part that is removed or changed", async () => {
    const output = await run("preview");
    assert.doesNotMatch(output, /s3cret/);
    const { stdout } = await unity("plan", "--json", "--config-file", stack.configFile);
    const { adoption } = JSON.parse(stdout);
    assert.deepEqual(adoption.rejected, []);
    assert.deepEqual(adoption.objects[0].changes, [
      "+ mount /tmp",
      "+ serviceAccountName",
      "+ volume runner, tmp",
      "+ initContainer migrate",
      "+ field spec.automountServiceAccountToken, spec.enableServiceLinks, spec.securityContext, securityContext, startupProbe, livenessProbe",
    ]);
    assert.ok(adoption.objects[0].preserves.includes("volume settings, cache"), stdout);
    assert.doesNotMatch(stdout, /s3cret|shop@example\.com/);
  });

  it("has all of it after `up`, which the next one leaves as it is", async () => {
    await run("up");
    assert.deepEqual(operatorsPart(await template()), operatorsPart(unmanagedPod));
    assert.equal((await app())?.env?.length, 13); // with an empty TOLERATED_REVISIONS
    await run("up", ["--expect-no-changes"]);
    await run("up", ["--refresh", "--expect-no-changes"]);
    assert.deepEqual(operatorsPart(await template()), operatorsPart(unmanagedPod));
  });

  it("gets a value of the settings, and the preserved one again without it", async () => {
    const value = async () => (await app())?.env?.find(({ name }) => name === "MAIL_HOST")?.value;
    await run("up", [], { pods: '{"backend":{"env":[{"name":"MAIL_HOST","value":"other.example.com"}]}}' });
    assert.equal(await value(), "other.example.com");
    await run("up", [], { pods: "{}" });
    assert.deepEqual(operatorsPart(await template()), operatorsPart(unmanagedPod));
  });

  it("loses for good what the settings drop", async () => {
    const adoptWithout = "env/EMPTY,volume/cache,container/exporter";
    await run("up", [], { adoptWithout });
    await run("preview", ["--expect-no-changes"], { adoptWithout: "" });
    const { containers, volumes = [] } = (await template()).spec;
    assert.deepEqual([containers.length, (await app())?.env?.length], [1, 12]);
    assert.deepEqual(
      volumes.map(({ name }) => name),
      ["runner", "tmp", "settings"],
    );
  });
});
