import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Run, Verb } from "../../local/pulumi.ts";
import { newestServingPod, podsOf } from "../../src/cluster/pods.ts";
import { digestOf } from "../../src/manifests/image-reference.ts";
import { namespaceLabels } from "../../src/manifests/security.ts";
import { parseRecords } from "../../src/promotion/record.ts";
import { unityIn } from "../cli/unity.ts";
import { heads, revisionSource } from "../fixtures/chains/ninth.ts";
import { type Checkout, checkout, lock } from "../support/checkout.ts";
import { type LiveStack, liveStack } from "../support/live.ts";
import { offerTls } from "../support/offer-tls.ts";

const [development, staging, production] = [
  liveStack("stacks-dev"),
  liveStack("stacks-staging"),
  liveStack("stacks-production", "stacks-staging"),
];
/** Production's settings; the image comes by its promotion. */
const productionSettings = {
  environment: "production",
  database: "external",
  initContainer: "wait",
  replicas: "2",
  promotedFrom: staging.name,
  databaseRoles: "separate",
  databaseTls: "verify-full",
  databaseCaSecret: "unity-database-ca",
};

/** Creates a database in staging's PostgreSQL, as an external one: with TLS, and a role for the application. */
async function externalDatabase(): Promise<Record<"databaseUrl" | "migrationDatabaseUrl", string>> {
  const { data } = await staging.kubectl.get<{ data: Record<string, string> }>("secret", "unity-database");
  const url = new URL(Buffer.from(data.DATABASE_URL ?? "", "base64").toString());
  const password = randomBytes(12).toString("hex");
  const psql = ["psql", "-U", url.username, "-d", "homelab_db"];
  for (const statement of [`CREATE ROLE homelab_app LOGIN PASSWORD '${password}'`, "CREATE DATABASE production"])
    await staging.kubectl.exec("deployment/postgres", "postgres", [...psql, "-c", statement]);
  url.hostname = `${url.hostname}.${staging.namespace}.svc.cluster.local`;
  url.pathname = "/production";
  const certificate = await offerTls(staging.kubectl, url.hostname);
  await production.kubectl.run(["create", "namespace", production.namespace]);
  const labels = Object.entries(namespaceLabels("restricted")).map(([name, value]) => `${name}=${value}`);
  await production.kubectl.run(["label", "namespace", production.namespace, ...labels]);
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "unity-database-ca" } };
  await production.kubectl.run(
    ["apply", "-f", "-"],
    JSON.stringify({ ...secret, stringData: { "ca.crt": certificate } }),
  );
  const migrationDatabaseUrl = url.href;
  Object.assign(url, { username: "homelab_app", password });
  return { databaseUrl: url.href, migrationDatabaseUrl };
}

describe("stacks side by side, and promotion", () => {
  let settings: Record<string, string> = productionSettings;
  let copy: Checkout;

  /** Runs production's program with the image of its file. */
  async function run(
    verb: Verb,
    changes: Record<string, string> = {},
    flags: string[] = [],
    folder?: string,
  ): Promise<Run> {
    const { image, ...given } = { ...settings, image: imageOf(production), ...changes };
    return (await production.engine({ ...given, ...(image !== undefined && { image }) }, folder)).run(verb, flags);
  }
  const imageOf = (stack: LiveStack) => /unity:image: (\S+)/.exec(readFileSync(stack.configFile, "utf8"))?.[1];
  const promote = async (...args: readonly string[]) =>
    unityIn(
      await production.environment(),
      "promote",
      ...["--from", staging.name, "--to", production.name, "--config-file", production.configFile, ...args],
    );
  const generations = async () => {
    const { items } = await production.kubectl.get<{ items: { metadata: { generation: number } }[] }>(
      "deployments,jobs",
    );
    return items.map(({ metadata }) => metadata.generation);
  };

  before(async () => {
    const nowhere = "postgresql://none@nowhere/none";
    await production.engine({ ...settings, databaseUrl: nowhere, migrationDatabaseUrl: nowhere });
    copy = checkout();
    const source = revisionSource(heads.ninth, heads.eighth, 'op.execute("SELECT 1")', 'op.execute("SELECT 1")');
    writeFileSync(join(copy.folder, "backend", "alembic", "versions", "ninth.py"), source);
    await lock(copy.folder);
  });
  after(async () => {
    copy?.remove();
    for (const stack of [production, staging, development]) await stack.remove();
  });

  it("rejects a release in production before it has run in staging", async () => {
    const { exitCode, output } = await run("preview", { image: `unity@sha256:${"0".repeat(64)}` });
    assert.notEqual(exitCode, 0);
    assert.match(output, /unknown stack|has no verified release/);
    const { code, stderr, stdout } = await promote("--yes");
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /can't read the outputs|has no verified release/);
  });

  it("deploys staging and development in parallel, each to its namespace", async () => {
    const runs = await Promise.all([
      (await staging.engine({ environment: "staging", createNamespace: "true", initContainer: "wait" })).run("up"),
      (await development.engine()).run("up"),
    ]);
    for (const { exitCode, output } of runs) assert.equal(exitCode, 0, output);
    for (const stack of [staging, development]) assert.equal((await podsOf(stack.kubectl, "unity-backend")).length, 1);
  });

  it("records a successful release in staging, by the digest that its pods run", async () => {
    const { releases } = await (await staging.engine()).outputs();
    const [record, ...others] = parseRecords(releases).records;
    assert.equal(others.length, 0);
    assert.deepEqual([record?.environment, record?.head], ["staging", "add_plugin_execution"]);
    const [pod] = await podsOf(staging.kubectl, "unity-backend");
    const running = pod?.status.containerStatuses?.[0]?.imageID ?? "";
    assert.equal(record?.image, digestOf(running) ?? assert.fail(`no digest: ${running}`));
  });

  it("shows a promotion, and writes image digest and plan hash with --yes only", async () => {
    settings = { ...settings, ...(await externalDatabase()) };
    await production.engine(settings);
    const before = readFileSync(production.configFile, "utf8");
    const shown = await promote();
    assert.equal(shown.code, 0, shown.stdout + shown.stderr);
    assert.match(shown.stdout, /Release of test-stacks-staging: head add_plugin_execution, image .*@sha256:/);
    assert.match(shown.stdout, /Pending: at most 8 of 8 revisions/);
    assert.match(shown.stdout, /To write the changes, pass --yes\./);
    assert.equal(readFileSync(production.configFile, "utf8"), before);
    const written = await promote("--yes");
    assert.equal(written.code, 0, written.stdout + written.stderr);
    const after = readFileSync(production.configFile, "utf8");
    assert.match(after, /unity:image: \S+@sha256:[0-9a-f]{64}$/m);
    assert.match(after, /unity:planHash: v4-[0-9a-f]{16}$/m);
    assert.doesNotMatch(shown.stdout + written.stdout + written.stderr, /homelab_\w+:/);
  });

  it("deploys the promoted release to production by its digest", async () => {
    const { exitCode, output } = await run("up");
    assert.equal(exitCode, 0, output);
    const pods = await podsOf(production.kubectl, "unity-backend");
    assert.equal(pods.length, 2);
    const pod = await newestServingPod(production.kubectl, "unity-backend");
    const current = await production.kubectl.exec(pod, "unity-backend", ["alembic", "current"]);
    assert.equal(current.trim(), "add_plugin_execution (head)");
  });

  it("changes none of the three the second time", async () => {
    const previews = [
      await run("preview", {}, ["--expect-no-changes"]),
      await (await staging.engine()).run("preview", ["--expect-no-changes"]),
      await (await development.engine()).run("preview", ["--expect-no-changes"]),
    ];
    for (const { exitCode, output } of previews) assert.equal(exitCode, 0, output);
    const again = await promote("--yes");
    assert.match(again.stdout, /unity:planHash \(removed\)/);
    assert.equal((await run("preview", {}, ["--expect-no-changes"])).exitCode, 0);
  });

  it("rejects a stack in another's namespace by its owner, without a change", async () => {
    const intruder = liveStack("stacks-intruder");
    const kinds = "deployments,jobs,services,secrets,configmaps,persistentvolumeclaims,serviceaccounts";
    const versions = async () => {
      const { items } = await staging.kubectl.get<{ items: { metadata: Record<string, unknown> }[] }>(kinds);
      return items.map(({ metadata: { uid, generation, resourceVersion, annotations } }) => {
        return [uid, generation ?? resourceVersion, annotations]; // a status changes only the version
      });
    };
    const before = await versions();
    try {
      for (const verb of ["preview", "up"] as const) {
        const engine = await intruder.engine({ namespace: staging.namespace });
        const { exitCode, output } = await engine.run(verb);
        assert.notEqual(exitCode, 0);
        assert.match(
          output,
          new RegExp(`Stack unity/${staging.name} owns resources of namespace ${staging.namespace} that stack unity/`),
        );
        assert.match(
          output,
          /run: pulumi config set namespace <name>\..* config set adoptFrom unity\/test-stacks-staging/,
        );
      }
      assert.deepEqual(await versions(), before);
      assert.equal((await (await intruder.engine()).run("destroy")).exitCode, 0);
      await newestServingPod(staging.kubectl, "unity-backend");
    } finally {
      intruder.forget();
    }
  });

  const refused: readonly [what: string, changes: () => [Record<string, string>, string?], says: RegExp][] = [
    [
      "another image",
      () => [{ image: `localhost/unity-backend@sha256:${"0".repeat(64)}` }],
      /release not verified in test-stacks-staging; no changes were made:\n.*- image: sha256:0+ \(newest in test-stacks-staging: sha256:/,
    ],
    [
      "an image by its tag",
      () => [{ image: process.env.MIGRATION_IMAGE ?? "" }],
      /invalid unity:image .* must be pinned by digest/,
    ],
    ["another chain", () => [{}, copy.folder], /- head: ninth \(newest in .*\n.*- chain: /],
  ];
  for (const [what, changes, says] of refused) {
    it(`rejects ${what} in production, without a change`, async () => {
      const before = await generations();
      const image = imageOf(production) ?? "";
      const [values, folder] = changes();
      const { exitCode, output } = await run("up", values, [], folder);
      assert.notEqual(exitCode, 0);
      assert.match(output, says);
      assert.deepEqual(await generations(), before);
      await production.engine({ ...settings, image });
    });
  }

  it("keeps serving the other stacks when one is destroyed", async () => {
    const { exitCode, output } = await (await development.engine()).run("destroy");
    assert.equal(exitCode, 0, output);
    for (const stack of [staging, production]) await newestServingPod(stack.kubectl, "unity-backend");
  });
});
