import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import type { Job, Pod } from "../../src/cluster/objects.ts";
import { newestServingPod, podsOf } from "../../src/cluster/pods.ts";
import { names } from "../../src/manifests/names.ts";
import { type Checkout, checkout, lock } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { liveStack } from "../support/live.ts";
import { startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;

/** Applies objects that belong to the test. */
const apply = (kubectl: Kubectl, ...items: readonly object[]) =>
  kubectl.run(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));

describe("an app whose env.py requires variables, on nodes of its own", () => {
  const stack = liveStack("pods");
  const { kubectl, namespace } = stack;
  const label = "unity-test/pool";
  const priorityClass = { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: namespace } };
  const variables = { SIGNING_KEY: "from a Secret", MAIL_FROM: "shop@example.com" };
  let copy: Checkout;
  let image: string;
  let nodes: readonly string[];

  /** Configuration of the pods; the sidecar runs in the backend's image. */
  const configuration = () => ({
    common: {
      env: [{ name: "MAIL_FROM", value: variables.MAIL_FROM }],
      envFrom: [{ secretRef: { name: "shop" } }],
      imagePullSecrets: [{ name: "registry" }],
      nodeSelector: { [label]: "batch" },
      tolerations: [{ key: "pool", operator: "Equal", value: "batch", effect: "NoSchedule" }],
      priorityClassName: namespace,
      annotations: { "example.com/note": "a note" },
      initContainers: [
        {
          name: "proxy",
          image,
          restartPolicy: "Always",
          command: ["sleep", "infinity"],
          resources: { limits: { memory: "32Mi" } },
        },
      ],
    },
    migration: { resources: { limits: { memory: "384Mi" } } },
  });
  const run = async (verb: "preview" | "up", values: Record<string, string> = {}, ...flags: readonly string[]) =>
    (await stack.engine({ image, rolloutTimeoutSeconds: "300", ...values }, copy.folder)).run(verb, flags);

  before(async () => {
    copy = checkout();
    const required = Object.keys(variables).map((name) => `${name} = os.environ["${name}"]`);
    appendFileSync(join(copy.folder, "backend", "app", "config.py"), ["", "import os", ...required, ""].join("\n"));
    await lock(copy.folder, variables);
    image = await fixtureImage(join(copy.folder, "backend"));
    nodes = (await kubectl.run(["get", "nodes", "--output=name"])).trim().split("\n");
    await kubectl.run(["label", ...nodes, "--overwrite", `${label}=batch`]);
    await apply(kubectl, { ...priorityClass, value: 1000 });
  });
  after(async () => {
    await stack.remove();
    await kubectl.run(["label", ...nodes, `${label}-`]);
    await kubectl.run(["delete", "priorityclass", namespace, "--ignore-not-found"]);
    copy.remove();
  });

  it("can't migrate without them, and the cause names the missing variable", async () => {
    const { exitCode, output } = await run("up");
    assert.notEqual(exitCode, 0);
    assert.match(output, /SIGNING_KEY/);
  });

  it("migrates, rolls out, and passes every check with them", async () => {
    const metadata = { name: "shop", namespace };
    const secret = { apiVersion: "v1", kind: "Secret", metadata, stringData: { SIGNING_KEY: variables.SIGNING_KEY } };
    const dockerConfig = JSON.stringify({ auths: { "registry.example": { username: "u", password: "p" } } });
    const registry = {
      ...secret,
      metadata: { name: "registry", namespace },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": dockerConfig },
    };
    await apply(kubectl, secret, registry);
    const { exitCode, output } = await run("up", { pods: JSON.stringify(configuration()) });
    assert.equal(exitCode, 0, output);
    const { checks } = await (await stack.engine({}, copy.folder)).outputs();
    const failed = Object.entries(checks as Record<string, { passed: boolean }>).filter(([, { passed }]) => !passed);
    assert.deepEqual(failed, []);
  });

  it("places the Job's pod, the backend's, and PostgreSQL's", async () => {
    const { items } = await kubectl.get<{ items: readonly Job[] }>("jobs");
    const complete = items.filter(({ status }) => status?.succeeded === 1);
    assert.equal(complete.length, 1);
    const pods: readonly Pod[] = (
      await Promise.all([names.migrateJob, names.backend, names.postgres].map((name) => podsOf(kubectl, name)))
    ).flat();
    const running = pods.filter(({ status }) => ["Running", "Succeeded"].includes(status.phase ?? ""));
    assert.equal(running.length, 3);
    const { common } = configuration();
    for (const { spec, metadata } of running) {
      const tolerations = spec?.tolerations?.filter(({ key }) => key === "pool");
      assert.deepEqual(
        [spec?.nodeSelector, tolerations, spec?.priorityClassName, spec?.imagePullSecrets],
        [common.nodeSelector, common.tolerations, namespace, common.imagePullSecrets],
        metadata.name,
      );
    }
  });

  it("keeps its sidecar beside the backend, and gives both containers the variables", async () => {
    const pod = await newestServingPod(kubectl, names.backend);
    const environment = await kubectl.exec(pod, names.backend, ["printenv", ...Object.keys(variables)]);
    assert.deepEqual(environment.trim().split("\n"), Object.values(variables));
    const { spec, status } = await kubectl.get<Pod>(`pod/${pod}`);
    assert.deepEqual(
      spec?.initContainers?.map(({ name }) => name),
      ["proxy", "migrate"],
    );
    const [proxy] = status.initContainerStatuses ?? [];
    assert.ok(proxy?.state?.running, "the sidecar runs");
  });

  it("changes nothing the second time", async () => {
    const { exitCode, output } = await run("up", {}, "--expect-no-changes");
    assert.equal(exitCode, 0, output);
  });

  it("is migrated by another Job if a variable changes", async () => {
    const { common, migration } = configuration();
    const env = [{ name: "MAIL_FROM", value: "other@example.com" }];
    const pods = JSON.stringify({ common: { ...common, env }, migration });
    const { exitCode, output } = await run("preview", { pods });
    assert.equal(exitCode, 0, output);
    assert.match(output, /Job unity-db-migrate-[0-9a-f]{10} will be created/);
  });

  it("is rejected before any change if it would replace what a migration depends on", async () => {
    const pods = JSON.stringify({ migration: { env: [{ name: "DATABASE_URL", value: "postgresql://elsewhere/db" }] } });
    const { exitCode, output } = await run("up", { pods });
    assert.notEqual(exitCode, 0);
    assert.match(output, /invalid unity:pods\.migration\.env\[0\]\.name "DATABASE_URL": must be a name other than/);
    assert.ok(!output.includes("elsewhere"));
  });
});

describe("a namespace that assigns user ids", () => {
  const stack = liveStack("pod-user");
  const { kubectl, namespace } = stack;
  const label = "unity-test/uid-range";
  const database = new Kubectl({ context, namespace: testNamespace("pod-user-database") });
  const range = { first: 1_000_650_000, last: 1_000_659_999 };
  const policyName = `${namespace}-user`;
  // What OpenShift's restricted-v2 does: any id outside the namespace's range is rejected.
  const user = "object.spec.securityContext.runAsUser";
  const policy = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: policyName },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      },
      validations: [
        {
          expression: `!has(${user}) || (${user} >= ${range.first} && ${user} <= ${range.last})`,
          message: `runAsUser must be in the ranges: [${range.first}, ${range.last}]`,
        },
      ],
    },
  };
  const binding = {
    ...policy,
    kind: "ValidatingAdmissionPolicyBinding",
    spec: {
      policyName,
      validationActions: ["Deny"],
      matchResources: { namespaceSelector: { matchLabels: { [label]: "enforced" } } },
    },
  };
  let settings: Record<string, string>;

  const up = async (common?: object) => {
    const pods = JSON.stringify(common === undefined ? {} : { common });
    return (await stack.engine({ ...settings, pods, rolloutTimeoutSeconds: "300" })).run("up");
  };
  const userOf = async () => {
    const pod = await newestServingPod(kubectl, names.backend);
    return (await kubectl.exec(pod, names.backend, ["id", "-u"])).trim();
  };

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    await kubectl.run(["label", "namespace", namespace, `${label}=enforced`]);
    await database.run(["create", "namespace", database.namespace]);
    await apply(kubectl, policy, binding);
    const server = await startServer(database, UNITY_POSTGRES_IMAGE || "postgres:17");
    await server.psql("postgres", "CREATE DATABASE unity");
    const { host, username, password } = new URL(server.url);
    const [name, port] = host.split(":");
    const databaseUrl = `postgresql://${username}:${password}@${name}.${database.namespace}:${port}/unity`;
    settings = { database: "external", databaseUrl };
  });
  after(async () => {
    await stack.remove();
    await kubectl.run(["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", policyName]);
    await database.run(["delete", "namespace", database.namespace, "--ignore-not-found", "--wait=false"]);
  });

  it("rejects the pods of a fixed user, and the cause names the range", async () => {
    const { exitCode, output } = await up();
    assert.notEqual(exitCode, 0);
    assert.match(output, /can't create a pod: .*runAsUser must be in the ranges: \[1000650000, 1000659999\]/);
  });

  it("runs pods without a user id as the image's user", async () => {
    const { exitCode, output } = await up({ userId: "none" });
    assert.equal(exitCode, 0, output);
    assert.equal(await userOf(), "10001");
  });

  it("runs pods as an assigned user that the image doesn't know", async () => {
    const { exitCode, output } = await up({ userId: range.first + 1 });
    assert.equal(exitCode, 0, output);
    assert.equal(await userOf(), String(range.first + 1));
  });
});
