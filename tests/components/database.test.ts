import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { createDatabase, ExternalDatabase, OwnedDatabase } from "../../components/database.ts";
import { find, record } from "../support/recorder.ts";

const common = { namespace: "unity", imagePullPolicy: "IfNotPresent" };
const password = pulumi.secret("p@ss/w:rd");

function secretData(inputs: Record<string, unknown>): unknown {
  const { value } = inputs.stringData as { value: unknown };
  return value;
}

describe("createDatabase", () => {
  it("declares a PostgreSQL whose Deployment follows its Secret and its volume claim", async () => {
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", password }, {}),
    );
    const own = find(registrations, OwnedDatabase.token, "postgres").urn;
    const secret = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    const claim = find(registrations, "kubernetes:core/v1:PersistentVolumeClaim", "postgres-data");
    const deployment = find(registrations, "kubernetes:apps/v1:Deployment", "postgres");
    const service = find(registrations, "kubernetes:core/v1:Service", "postgres-service");
    assert.equal(registrations.length, 5);
    assert.deepEqual(new Set([secret, claim, deployment, service].map(({ parent }) => parent)), new Set([own]));
    assert.deepEqual(new Set(deployment.dependencies), new Set([secret.urn, claim.urn]));
    assert.deepEqual(service.dependencies, [deployment.urn]);
  });

  it("puts a password with reserved characters into the URL so that it comes out again", async () => {
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", password }, {}),
    );
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    const data = secretData(inputs) as { DATABASE_URL: string };
    const url = new URL(data.DATABASE_URL);
    assert.equal(decodeURIComponent(url.password), "p@ss/w:rd");
    assert.equal(`${url.username}@${url.host}${url.pathname}`, "homelab_user@postgres-service:5432/homelab_db");
  });

  it("shows the password nowhere but in the Secret, marked as secret", async () => {
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "owned", image: "postgres:17", storage: "1Gi", password }, {}),
    );
    const plain = registrations.filter(({ type }) => type !== "kubernetes:core/v1:Secret");
    assert.ok(!JSON.stringify(plain).includes("p@ss"));
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    // The SDK's mark of a secret value on the wire (pulumi/sdk/go/common/resource/properties.go).
    assert.ok(Object.values(inputs.stringData as object).includes("1b47061264138c4ac30d75fd1eb44270"));
  });

  it("declares only the Secret for a database that lives elsewhere", async () => {
    const url = pulumi.secret("postgresql://u:p@db.example:5432/unity");
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "external", url }, {}),
    );
    assert.deepEqual(
      registrations.map(({ type }) => type),
      [ExternalDatabase.token, "kubernetes:core/v1:Secret"],
    );
  });

  it("gives migrations an URL of their own past a connection pooler, if there is one", async () => {
    const [url, migrationUrl] = [
      pulumi.secret("postgresql://u:p@pooler/unity"),
      pulumi.secret("postgresql://u:p@db/unity"),
    ];
    const { registrations } = await record({}, () =>
      createDatabase("postgres", { ...common, kind: "external", url, migrationUrl }, {}),
    );
    const { inputs } = find(registrations, "kubernetes:core/v1:Secret", "postgres-credentials");
    assert.deepEqual(secretData(inputs), {
      DATABASE_URL: "postgresql://u:p@pooler/unity",
      MIGRATION_DATABASE_URL: "postgresql://u:p@db/unity",
    });
  });
});
