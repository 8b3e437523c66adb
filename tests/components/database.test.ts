import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { createDatabase } from "../../components/database.ts";
import { ExternalDatabase } from "../../components/external-database.ts";
import { OwnedDatabase } from "../../components/owned-database.ts";
import { ownSecrets } from "../../src/manifests/database-secrets.ts";
import { find, record } from "../support/recorder.ts";

const common = { context: "c", namespace: "unity", imagePullPolicy: "IfNotPresent", secrets: ownSecrets(undefined) };
const separateRoles = { ...common, secrets: ownSecrets("app") };
const password = pulumi.secret("p@ss/w:rd");

interface Probe {
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

/** Returns the decoded data of a Secret. */
function secretData(inputs: Record<string, unknown>): unknown {
  const { value } = inputs.data as { value: Record<string, string> };
  const decoded = Object.entries(value).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]);
  return Object.fromEntries(decoded);
}

describe("createDatabase", () => {
  it("declares a PostgreSQL whose Deployment depends on its Secret and volume claim", async () => {
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", credentials: { password } },
        {},
      ),
    );
    const own = find(registrations, OwnedDatabase.token, "postgres").urn;
    const secret = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    const claim = find(registrations, "kubernetes:core/v1:PersistentVolumeClaim", "postgres-data");
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "postgres");
    const service = find(registrations, "kubernetes:core/v1:Service", "postgres-service");
    const account = find(registrations, "kubernetes:core/v1:ServiceAccount", "postgres-account");
    const [image, rollout] = ["postgres-image", "postgres-rollout"].map((name) =>
      find(registrations, "command:local:Command", name),
    );
    assert.ok(image !== undefined && rollout !== undefined);
    assert.equal(registrations.length, 8);
    assert.deepEqual(
      new Set([secret, account, claim, deployment, service, image, rollout].map(({ parent }) => parent)),
      new Set([own]),
    );
    assert.deepEqual(new Set(deployment.dependencies), new Set([secret.urn, account.urn, claim.urn, image.urn]));
    assert.deepEqual([service.dependencies, rollout.dependencies], [[deployment.urn], [deployment.urn]]);
  });

  it("proves an image before the Deployment changes, and only once for each image", async () => {
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", credentials: { password } },
        {},
      ),
    );
    const { inputs } = find(registrations, "command:local:Command", "postgres-image");
    assert.deepEqual([inputs.create, inputs.triggers], ["postgres-image", ["postgres:17"]]);
    const target = { context: "c", namespace: "unity", name: "postgres", timeoutSeconds: 600 };
    assert.deepEqual(JSON.parse(inputs.stdin as string), {
      ...target,
      image: "postgres:17",
      imagePullPolicy: "IfNotPresent",
    });
  });

  it("waits for PostgreSQL as long as it may take to recover after a crash", async () => {
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", credentials: { password } },
        {},
      ),
    );
    const { inputs } = find(registrations, "command:local:Command", "postgres-rollout");
    const { timeoutSeconds } = JSON.parse(inputs.stdin as string) as { timeoutSeconds: number };
    const { spec } = find(registrations, "kubernetes:apps/v1:Deployment", "postgres").inputs as {
      spec: { progressDeadlineSeconds: number; template: { spec: { containers: [{ startupProbe: Probe }] } } };
    };
    const { periodSeconds, failureThreshold } = spec.template.spec.containers[0].startupProbe;
    assert.ok(periodSeconds * failureThreshold >= 3600);
    assert.ok(spec.progressDeadlineSeconds > periodSeconds * failureThreshold);
    assert.ok(timeoutSeconds > spec.progressDeadlineSeconds);
  });

  it("encodes reserved characters of a password in the URL", async () => {
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", credentials: { password } },
        {},
      ),
    );
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    const data = secretData(inputs) as { DATABASE_URL: string };
    const url = new URL(data.DATABASE_URL);
    assert.equal(decodeURIComponent(url.password), "p@ss/w:rd");
    assert.equal(`${url.username}@${url.host}${url.pathname}`, "homelab_user@postgres-service:5432/homelab_db");
  });

  it("has the password only in the Secret, marked as secret", async () => {
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", credentials: { password } },
        {},
      ),
    );
    const plain = registrations.filter(({ type }) => type !== "kubernetes:core/v1:Secret");
    assert.ok(!JSON.stringify(plain).includes("p@ss"));
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    // The SDK's mark of a secret value on the wire (pulumi/sdk/go/common/resource/properties.go).
    assert.ok(Object.values(inputs.data as object).includes("1b47061264138c4ac30d75fd1eb44270"));
  });

  it("declares only the Secret of an external database", async () => {
    const url = pulumi.secret("postgresql://u:p@db.example:5432/unity");
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "external", credentials: { url } }, {}),
    );
    assert.deepEqual(
      registrations.map(({ type }) => type),
      [ExternalDatabase.token, "kubernetes:core/v1:Secret"],
    );
  });

  it("gives migrations a URL that bypasses a connection pooler", async () => {
    const [url, migrationUrl] = [
      pulumi.secret("postgresql://u:p@pooler/unity"),
      pulumi.secret("postgresql://u:p@db/unity"),
    ];
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "external", credentials: { url, migrationUrl } }, {}),
    );
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    assert.deepEqual(secretData(inputs), {
      DATABASE_URL: "postgresql://u:p@pooler/unity",
      MIGRATION_DATABASE_URL: "postgresql://u:p@db/unity",
    });
  });

  const secretNames = (registrations: Awaited<ReturnType<typeof record>>["registrations"]) =>
    registrations
      .filter(({ type }) => type === "kubernetes:core/v1:Secret")
      .map(({ inputs }) => [(inputs.metadata as { name: string }).name, secretData(inputs)]);

  it("gives separate roles a Secret each, the owner's password only to the migrations'", async () => {
    const credentials = { password: "own er", application: { role: "app", password: "a/pp" } };
    const { registrations } = await record({}, () =>
      createDatabase(
        "postgres",
        { ...separateRoles, kind: "owned", image: "postgres:17", storage: "1Gi", credentials },
        {},
      ),
    );
    const host = "postgres-service:5432/homelab_db";
    assert.deepEqual(secretNames(registrations), [
      ["unity-database-app", { DATABASE_URL: `postgresql://app:a%2Fpp@${host}` }],
      ["unity-migrations", { DATABASE_URL: `postgresql://homelab_user:own%20er@${host}`, POSTGRES_PASSWORD: "own er" }],
    ]);
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "postgres");
    assert.match(
      JSON.stringify(deployment.inputs.spec),
      /"name":"unity-migrations","key":"POSTGRES_PASSWORD"|"key":"POSTGRES_PASSWORD","name":"unity-migrations"/,
    );
  });

  it("gives separate roles of an external database a Secret each", async () => {
    const credentials = { url: "postgresql://app:a@h/d", migrationUrl: "postgresql://owner:o@h/d" };
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...separateRoles, kind: "external", credentials }, {}),
    );
    assert.deepEqual(secretNames(registrations), [
      ["unity-database-app", { DATABASE_URL: credentials.url }],
      ["unity-migrations", { DATABASE_URL: credentials.migrationUrl }],
    ]);
  });

  it("declares no Secret if they exist, and passes them to PostgreSQL", async () => {
    const secrets = { application: "mine", migrations: "my-migrations", existing: true };
    const { registrations, result } = await record({}, () =>
      createDatabase("postgres", { ...common, secrets, kind: "owned", image: "postgres:17", storage: "1Gi" }, {}),
    );
    assert.deepEqual(secretNames(registrations), []);
    assert.equal(result.secretVersion, undefined);
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "postgres");
    assert.match(JSON.stringify(deployment.inputs.spec), /my-migrations/);
  });

  it("rejects all blocked ports of an external database together", async () => {
    const credentials = { url: "postgresql://a:hunter2@h:1/d", migrationUrl: "postgresql://o:p@h:2/d", ports: [5432] };
    const { result } = await record({}, () =>
      createDatabase("postgres", { ...separateRoles, kind: "external", credentials }, {}),
    );
    const { secretVersion } = result as unknown as { secretVersion: { promise(): Promise<unknown> } };
    await assert.rejects(secretVersion.promise(), (error: Error) => {
      assert.ok(pulumi.ResourceError.isInstance(error) && error.hideStack, error.message);
      assert.match(error.message, /unity:databaseUrl: .*port 1;.*\n.*unity:migrationDatabaseUrl: .*port 2;/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });
});
