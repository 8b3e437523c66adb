import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Deployment, Service } from "../../src/cluster/objects.ts";
import { unity } from "../cli/unity.ts";
import { liveStack } from "../support/live.ts";
import { startProbe } from "../support/probe.ts";
import { UnmanagedDeployment } from "../support/unmanaged.ts";

const rows = "SELECT string_agg(hostname, ',' ORDER BY hostname) FROM servers";

/** Opens a stack that adopts an existing deployment in its namespace. */
function adoptingStack(name: string) {
  const stack = liveStack(name);
  const { kubectl, namespace } = stack;
  const unmanaged = new UnmanagedDeployment(kubectl, namespace);
  const settings = { database: "external", databaseUrl: unmanaged.databaseUrl, replicas: "2" };
  const run = async (verb: "preview" | "up", flags: readonly string[] = [], values: object = {}, stop?: AbortSignal) =>
    (await stack.engine({ ...settings, ...values })).run(verb, flags, false, stop);
  const succeeds = async (verb: "preview" | "up", flags: readonly string[] = [], values: object = {}) => {
    const { exitCode, output } = await run(verb, flags, values);
    assert.equal(exitCode, 0, output);
    return output;
  };
  const deployment = () => kubectl.get<Deployment>("deployment", "unity-backend");
  const service = () => kubectl.get<Service>("service", "unity-backend");
  const versions = () =>
    kubectl.run([
      "get",
      "all,secrets,configmaps,pvc",
      "-o",
      "custom-columns=N:.metadata.name,U:.metadata.uid,G:.metadata.generation",
    ]);
  return { ...stack, unmanaged, run, succeeds, deployment, service, versions };
}

/** Asserts that the pod template is the stack's, with what it preserves of the old one. */
function assertOurs({ spec }: Deployment, variable: string, ...preserved: readonly string[]): void {
  const { containers, initContainers = [], volumes = [] } = spec.template.spec;
  assert.deepEqual(
    [containers, initContainers, volumes].map((list) => list.map(({ name }) => name)),
    [["unity-backend"], ["migrate"], ["runner", "tmp", ...preserved]],
  );
  const { env = [] } = containers[0] ?? {};
  assert.equal(env[0]?.valueFrom?.secretKeyRef?.name, "unity-database");
  assert.deepEqual(
    env.map(({ name }) => name),
    ["DATABASE_URL", "TOLERATED_REVISIONS", variable],
  );
}

describe("an existing deployment", () => {
  const adopting = adoptingStack("adoption");
  const { kubectl, namespace, unmanaged } = adopting;

  before(() => unmanaged.setUp("backend.yaml"));
  after(() => adopting.remove());

  it("is rejected where the stack would create an empty database instead", async () => {
    const before = await adopting.versions();
    for (const verb of ["preview", "up"] as const) {
      const { exitCode, output } = await adopting.run(verb, [], { database: "owned" });
      assert.notEqual(exitCode, 0, output);
      assert.match(output, /Database is at 00001_add_plugins, behind head/);
      assert.match(
        output,
        /unity:database is owned, but a database exists \(Deployment postgres, Service postgres-service, the database of/,
      );
      assert.match(output, /pulumi config set database external/);
    }
    assert.equal(await adopting.versions(), before);
  });

  it("is shown by preview: preserved fields, changes and left objects", async () => {
    const before = await adopting.versions();
    const output = await adopting.succeeds("preview");
    for (const line of [
      "Database is at 00001_add_plugins, behind head add_plugin_execution.",
      "Pending: 2 of 8 revisions",
      "deployment/unity-backend",
      "preserves selector app=unity-backend",
      "~ container backend -> unity-backend",
      "preserves env GREETING",
      "preserves envFrom configmap/unity-settings",
      "preserves volume uploads",
      "~ env DATABASE_URL",
      "service/unity-backend",
      "preserves selector tier=api",
      "preserves type NodePort",
      "preserves ports 8000, 80",
      "job/unity-db-migrate (complete): kept for its log",
      "secret/unity-secrets: new pods don't read it",
      "deployment/postgres: the database is that of unity:databaseUrl",
    ]) {
      assert.ok(output.includes(line), `${line} is in:\n${output}`);
    }
    assert.ok(!output.includes("s3cret"), "no password is printed");
    assert.equal(await adopting.versions(), before);
    const { code, stdout } = await unity("status", "--json", "--config-file", adopting.configFile);
    const { adoption, state } = JSON.parse(stdout);
    assert.deepEqual([code, state.kind, adoption.objects.length, adoption.rejected], [1, "behind", 2, []]);
  });

  it("is adopted by the first `up`, without a failed request, a lost row or a leftover", async () => {
    const [old, oldService] = await Promise.all([adopting.deployment(), adopting.service()]);
    await using probe = await startProbe(kubectl, namespace);
    const output = await adopting.succeeds("up");
    const { requests, failures } = await probe.stop();
    assert.deepEqual(failures, [], output);
    assert.ok(requests > 20);
    assert.equal(await unmanaged.psql(rows), "kept-one,kept-two");
    assert.equal(await unmanaged.psql("SELECT version_num FROM alembic_version"), "add_plugin_execution");
    const [now, service] = await Promise.all([adopting.deployment(), adopting.service()]);
    assertOurs(now, "GREETING", "uploads");
    assert.deepEqual(now.spec.selector, old.spec.selector);
    assert.equal(Reflect.get(now.metadata, "uid"), Reflect.get(old.metadata, "uid"));
    assert.equal(service.metadata.annotations?.["example.com/owner"], "operations");
    assert.deepEqual(service.spec, {
      ...oldService.spec,
      ports: oldService.spec.ports?.map((port) => ({ ...port, targetPort: 8000 })),
    });
  });

  it("leaves no old pod, and the Job unchanged", async () => {
    const { items } = await kubectl.get<{ items: { spec: { replicas: number }; metadata: { labels: object } }[] }>(
      "replicasets",
      "--selector=app=unity-backend",
    );
    assert.deepEqual(items.map(({ spec }) => spec.replicas).sort(), [0, 2]);
    const logs = await kubectl.run(["logs", "job/unity-db-migrate"]);
    assert.match(logs, /00001_add_plugins/);
  });

  it("then belongs to the stack, which removes what it had declared", async () => {
    await adopting.succeeds("preview", ["--expect-no-changes"]);
    const output = await adopting.succeeds("up", ["--expect-no-changes"]);
    assert.doesNotMatch(output, /resources to adopt/);
    const tolerated = async () =>
      (await adopting.deployment()).spec.template.spec.containers[0]?.env?.find(
        ({ name }) => name === "TOLERATED_REVISIONS",
      );
    await adopting.succeeds("up", [], { toleratedRevisions: "later" });
    assert.deepEqual(await tolerated(), { name: "TOLERATED_REVISIONS", value: "later" });
    await adopting.succeeds("up", [], { toleratedRevisions: "" });
    assert.deepEqual(await tolerated(), { name: "TOLERATED_REVISIONS" });
    const { spec } = await adopting.service();
    assert.deepEqual([spec.type, spec.selector, spec.ports?.length], ["NodePort", { tier: "api" }, 2]);
    await adopting.succeeds("preview", ["--expect-no-changes"]);
  });

  it("keeps its database when the stack is destroyed", async () => {
    const { exitCode, output } = await (await adopting.engine()).run("destroy");
    assert.equal(exitCode, 0, output);
    assert.equal(await unmanaged.psql(rows), "kept-one,kept-two");
    await kubectl.run(["wait", "deployment/unity-backend", "--for=delete", "--timeout=60s"], "", 70);
    const left = await kubectl.run(["get", "deployments,services", "--output=name"]);
    assert.deepEqual(left.trim().split("\n"), ["deployment.apps/postgres", "service/postgres-service"]);
  });
});

describe("an `up` that is killed while it adopts", () => {
  const adopting = adoptingStack("adoption-killed");
  const { kubectl, namespace, unmanaged } = adopting;

  before(() => unmanaged.setUp("backend-plain.yaml"));
  after(() => adopting.remove());

  /** Runs `up`, and kills it as soon as the Deployment with its managed fields meets a condition. */
  async function killedWhen(isThere: (deployment: Deployment, text: string) => boolean): Promise<void> {
    const stop = new AbortController();
    let hasEnded = false;
    const running = adopting.run("up", [], {}, stop.signal).finally(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      const text = await kubectl.run(["get", "deployment/unity-backend", "--output=json", "--show-managed-fields"]);
      if (isThere(JSON.parse(text), text)) break;
      await delay(50);
    }
    stop.abort("SIGKILL");
    const { exitCode, output } = await running;
    assert.notEqual(exitCode, 0, output);
    await (await adopting.engine()).unlock();
  }

  it("is shown a Secret of the stack's name in preview", async () => {
    const output = await adopting.succeeds("preview");
    assert.match(output, /secret\/unity-database\n\s+preserves keys DATABASE_URL, TOKEN\n/);
  });

  it("is resumed by the next, before and within the rollout, without a failed request", async () => {
    await using probe = await startProbe(kubectl, namespace);
    const image = process.env.MIGRATION_IMAGE;
    await killedWhen((_, text) => text.includes('"manager": "unity"'));
    const [container] = (await adopting.deployment()).spec.template.spec.containers;
    assert.equal(Reflect.get(container ?? {}, "image"), image);
    await killedWhen(({ spec }) => spec.template.spec.initContainers !== undefined);
    await adopting.succeeds("up");
    assert.deepEqual((await probe.stop()).failures, []);
    assertOurs(await adopting.deployment(), "TOKEN");
    assert.deepEqual((await adopting.deployment()).spec.template.spec.volumes?.at(-1), { name: "tmp", emptyDir: {} });
    assert.equal(await unmanaged.psql(rows), "kept-one,kept-two");
    const { data } = await kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
    const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
    assert.deepEqual(Object.fromEntries(decoded), { DATABASE_URL: unmanaged.databaseUrl, TOKEN: "s3cret/2" });
    const [port] = (await adopting.service()).spec.ports ?? [];
    assert.deepEqual([port?.port, port?.name, port?.targetPort], [8000, undefined, 8000]);
    await adopting.succeeds("preview", ["--expect-no-changes"]);
  });
});
