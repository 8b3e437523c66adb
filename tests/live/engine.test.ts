import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Scratch, stepsOf } from "../engine/support.ts";
import { changeEnvironment } from "../support/environment.ts";
import { testNamespace } from "../support/leftovers.ts";

const context = process.env.UNITY_CONTEXT;
const namespace = testNamespace(`engine-${randomBytes(3).toString("hex")}`);

function kubectl(...args: string[]): string {
  return execFileSync("kubectl", [...(context === undefined ? [] : ["--context", context]), ...args], {
    encoding: "utf8",
  });
}
/** Returns an image with a shell: one of the project's that the node has, otherwise a common one. */
function shellImage(): string {
  const names: string[] = JSON.parse(kubectl("get", "nodes", "-o", "json")).items.flatMap(
    (node: { status: { images?: { names?: string[] }[] } }) =>
      (node.status.images ?? []).flatMap((image) => image.names ?? []),
  );
  return process.env.UNITY_TEST_IMAGE ?? names.find((name) => name.startsWith("localhost/unity-")) ?? "busybox:stable";
}

const configMap = (data: object, metadata: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
const pod = (image: string, command: string, more: object = {}) => ({
  terminationGracePeriodSeconds: 0,
  containers: [
    { name: "main", image, command: ["sh", "-c", command], terminationMessagePolicy: "FallbackToLogsOnError" },
  ],
  ...more,
});
const job = (name: string, image: string, command: string) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: { backoffLimit: 0, template: { spec: pod(image, command, { restartPolicy: "Never" }) } },
});
const deployment = (image: string, command: string, more: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "app" },
  spec: {
    replicas: 1,
    progressDeadlineSeconds: 5,
    selector: { matchLabels: { app: "app" } },
    template: { metadata: { labels: { app: "app" } }, spec: pod(image, command, more) },
  },
});

describe("engine on a cluster", () => {
  let scratch: Scratch;
  let image = "";
  let environment: Disposable | undefined;
  const declare = (objects: object[], settings: object = {}) =>
    scratch.settings({ context, namespace, objects, ...settings });
  const get = (kind: string, name: string) => JSON.parse(kubectl("get", kind, name, "-n", namespace, "-o", "json"));
  const listed = (kind: string) => kubectl("get", kind, "-n", namespace, "-o", "name").trim();

  before(() => {
    assert.ok(
      process.env.KUBECONFIG,
      "KUBECONFIG has to name a cluster: run `node local/main.ts cluster start` and take what it prints",
    );
    environment = changeEnvironment({ PULUMI_CONFIG_PASSPHRASE: "x" });
    image = shellImage();
    kubectl("create", "namespace", namespace);
  });
  after(() => {
    environment?.[Symbol.dispose]();
    kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false");
  });
  beforeEach(() => {
    scratch = new Scratch("kubernetes");
  });
  afterEach(async () => {
    await scratch.run("destroy");
    scratch.remove();
  });

  it("previews on the server without writing, creates, and then finds nothing to do", async () => {
    declare([
      { name: "one", object: configMap({ a: "1" }, { name: "one" }) },
      { name: "other", object: configMap({ a: "2" }, { name: "other" }) },
    ]);
    const before = listed("configmaps");
    assert.equal((await scratch.run("preview")).exit, 0);
    assert.equal(listed("configmaps"), before);
    const up = await scratch.run("up");
    assert.deepEqual(up.outputs.names, { one: "one", other: "other" });
    assert.deepEqual(get("configmap", "one").data, { a: "1" });
    assert.deepEqual(stepsOf(await scratch.run("up", { expectNoChanges: true, refresh: true })), []);
  });

  it("updates labels in place, and replaces for data, with the new name first", async () => {
    const of = (a: string, label: string) => [
      { name: "content", object: configMap({ a }, { name: `content-${a}`, labels: { l: label } }) },
      { name: "named", object: configMap({ a }, { name: "named", labels: { l: label } }) },
    ];
    declare(of("1", "x"));
    await scratch.run("up");
    const uid = get("configmap", "named").metadata.uid;
    declare(of("1", "y"));
    assert.deepEqual(stepsOf(await scratch.run("up")), ["update content", "update named"]);
    const { metadata } = get("configmap", "content-1");
    assert.deepEqual([get("configmap", "named").metadata.uid, metadata.labels.l], [uid, "y"]);
    declare(of("2", "y"));
    assert.deepEqual(stepsOf(await scratch.run("up")), ["replace content", "replace named"]);
    assert.deepEqual(get("configmap", "content-2").data, { a: "2" });
    assert.notEqual(get("configmap", "named").metadata.uid, uid);
    assert.doesNotMatch(listed("configmaps"), /content-1/);
  });

  it("names unsupported kinds and annotations, and objects without a name", async () => {
    const named = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "n" } };
    for (const [object, why] of [
      [{ ...named, apiVersion: "apps/v1", kind: "StatefulSet" }, "the kind apps/v1/StatefulSet"],
      [{ ...named, metadata: {} }, "a ConfigMap without metadata.name"],
      [{ ...named, metadata: { name: "n", annotations: { "pulumi.com/waitFor": "x" } } }, "pulumi.com/waitFor"],
      [{ ...named, kind: "Service" }, "a Service without the annotation pulumi.com/skipAwait"],
    ] as const) {
      declare([{ name: "odd", object }]);
      assert.equal((await scratch.run("preview")).exit, 4);
      assert.match(scratch.text, new RegExp(`${why} is not supported by the embedded engine: use the Pulumi CLI`));
    }
  });

  it("finds external changes and deletions on refresh only", async () => {
    declare([
      { name: "kept", object: configMap({ a: "1" }, { name: "kept" }) },
      { name: "lost", object: configMap({ a: "1" }, { name: "lost" }) },
    ]);
    await scratch.run("up");
    kubectl(
      "patch",
      "configmap",
      "kept",
      "-n",
      namespace,
      "--type=merge",
      "-p",
      '{"data":{"a":"9","b":"ours not"},"metadata":{"labels":{"not":"ours"}}}',
    );
    kubectl("delete", "configmap", "lost", "-n", namespace);
    assert.deepEqual(stepsOf(await scratch.run("preview")), []);
    assert.deepEqual(stepsOf(await scratch.run("preview", { refresh: true })), ["create lost", "replace kept"]);
    assert.equal(get("configmap", "kept").data.a, "9");
    assert.deepEqual(stepsOf(await scratch.run("up", { refresh: true })), ["create lost", "replace kept"]);
    assert.deepEqual(get("configmap", "kept").data, { a: "1" });
  });

  it("adopts an existing object only with upsert", async () => {
    kubectl("create", "configmap", "mine", "-n", namespace, "--from-literal=b=2");
    const object = { ...configMap({ a: "1" }, { name: "mine" }) };
    declare([{ name: "mine", object }]);
    const refused = await scratch.run("up");
    assert.equal(refused.exit, 4);
    assert.match(scratch.text, /mine already exists.*upsertExistingObjects/);
    declare([{ name: "mine", object }], { upsert: true });
    assert.equal((await scratch.run("up")).exit, 0);
    assert.deepEqual(get("configmap", "mine").data, { a: "1", b: "2" });
  });

  it("keeps the data of a Secret out of output and state", async () => {
    declare([
      {
        name: "word",
        object: { apiVersion: "v1", kind: "Secret", metadata: { name: "word" }, stringData: { p: "hunter2-plain" } },
      },
    ]);
    assert.equal((await scratch.run("up", { diff: true })).exit, 0);
    const encoded = Buffer.from("hunter2-plain").toString("base64");
    for (const text of [scratch.text, scratch.storedText()])
      assert.ok(!text.includes("hunter2") && !text.includes(encoded));
    assert.equal(get("secret", "word").data.p, encoded);
  });

  it("waits for a Job before what depends on it", async () => {
    declare([
      { name: "job", object: job("works", image, "sleep 1") },
      { name: "next", object: configMap({}, { name: "next" }), after: ["job"] },
    ]);
    assert.equal((await scratch.run("up")).exit, 0);
    const done = new Date(get("job", "works").status.completionTime).getTime();
    assert.ok(new Date(get("configmap", "next").metadata.creationTimestamp).getTime() >= done);
  });

  it("fails with a Job's message, fails again, and succeeds with another name", async () => {
    const next = { name: "next", object: configMap({}, { name: "next" }), after: ["job"] };
    declare([{ name: "job", object: job("fails", image, "echo 'relation is missing' >&2; exit 7") }, next]);
    assert.equal((await scratch.run("up")).exit, 4);
    assert.match(
      scratch.text,
      /\[BackoffLimitExceeded\][\s\S]*container "main" in pod fails-\S+ exited with code 7 \[Error\]: relation is missing/,
    );
    assert.doesNotMatch(listed("configmaps"), /next/);
    assert.equal((await scratch.run("up")).exit, 4);
    declare([{ name: "job", object: job("works", image, "true") }, next]);
    assert.deepEqual(stepsOf(await scratch.run("up")), ["create next", "replace job"]);
    assert.doesNotMatch(listed("jobs"), /fails/);
  });

  it("rolls out a Deployment, and names the container that keeps it from being ready", async () => {
    declare([{ name: "app", object: deployment(image, "sleep 600") }]);
    assert.equal((await scratch.run("up")).exit, 0);
    assert.equal(get("deployment", "app").status.availableReplicas, 1);
    const initContainers = [
      {
        name: "ask",
        image,
        command: ["sh", "-c", "echo no schema yet; exit 3"],
        terminationMessagePolicy: "FallbackToLogsOnError",
      },
    ];
    declare([{ name: "app", object: deployment(image, "sleep 601", { initContainers }) }]);
    const failed = await scratch.run("up");
    assert.equal(failed.exit, 4);
    assert.match(
      scratch.text,
      /ProgressDeadlineExceeded[\s\S]*container "ask".*exited with code 3[\s\S]*no schema yet/,
    );
    declare([{ name: "app", object: deployment(image, "sleep 602") }]);
    assert.deepEqual(stepsOf(await scratch.run("up")), ["update app"]);
  });

  it("names an image that can't be pulled while it waits", async () => {
    declare([{ name: "app", object: deployment("localhost/no-such-image:1", "true") }]);
    assert.equal((await scratch.run("up")).exit, 4);
    assert.match(
      scratch.text,
      /waiting for Deployment .*container "main" .*can't pull image .*\[(ErrImagePull|ImagePullBackOff)\]/,
    );
  });

  it("waits for the same Job after SIGKILL", async () => {
    declare([{ name: "job", object: job("long", image, "sleep 4") }]);
    const run = scratch.start("up");
    await run.prints("waiting for Job");
    run.child.kill("SIGKILL");
    await run.ended;
    const { uid } = get("job", "long").metadata;
    assert.deepEqual(stepsOf(await scratch.run("up")), ["create job"]);
    assert.equal(get("job", "long").metadata.uid, uid);
  });

  it("ends on SIGINT while a Job runs, and the next run waits for the same Job", async () => {
    declare([{ name: "job", object: job("held", image, "sleep 4") }]);
    const run = scratch.start("up");
    await run.prints("waiting for Job");
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 8);
    const { uid } = get("job", "held").metadata;
    const next = await scratch.run("up");
    assert.deepEqual([next.exit, stepsOf(next), get("job", "held").metadata.uid], [0, ["update job"], uid]);
  });

  it("names the existing contexts when the given one doesn't exist", async () => {
    scratch.settings({
      context: "no-such-context",
      objects: [{ name: "one", object: configMap({}, { name: "one" }) }],
    });
    assert.equal((await scratch.run("preview")).exit, 4);
    assert.match(scratch.text, /context "no-such-context" not found in the kubeconfig; available: /);
  });
});
