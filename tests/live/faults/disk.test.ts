import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { names, serviceAccounts } from "../../../src/manifests/names.ts";
import { postgresDeploymentSpec, postgresServiceSpec } from "../../../src/manifests/postgres.ts";
import { heads } from "../../fixtures/chains/ninth.ts";
import { FaultStack, type NinthRelease, ninthRelease } from "../../support/faults.ts";

const stack = new FaultStack("disk", { database: "external" }, "small");
const { kubectl, namespace } = stack.live;

/** Returns an external PostgreSQL with a second, small disk: 48 MiB of memory, mounted at `/small`. */
function postgresWithSmallDisk(password: string): object[] {
  const secretName = "postgres-password";
  const metadata = (name: string) => ({ name, namespace });
  const spec = postgresDeploymentSpec({
    image: process.env.UNITY_POSTGRES_IMAGE || "postgres:17",
    imagePullPolicy: "IfNotPresent",
    storage: "1Gi",
    secretName,
  });
  const { template } = JSON.parse(JSON.stringify(spec));
  template.spec.volumes = template.spec.volumes.map((volume: { name: string }) =>
    volume.name === "data" ? { name: "data", emptyDir: {} } : volume,
  );
  template.spec.volumes.push({ name: "small", emptyDir: { medium: "Memory", sizeLimit: "48Mi" } });
  template.spec.containers[0].volumeMounts.push({ name: "small", mountPath: "/small" });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(serviceAccounts.postgres) },
    { apiVersion: "v1", kind: "Secret", metadata: metadata(secretName), stringData: { POSTGRES_PASSWORD: password } },
    { apiVersion: "v1", kind: "Service", metadata: metadata(names.postgresService), spec: postgresServiceSpec() },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: metadata(names.postgres), spec: { ...spec, template } },
  ];
}

describe("a database whose disk is full", () => {
  const password = randomBytes(12).toString("hex");
  let ninth: NinthRelease;

  before(async () => {
    const databaseUrl = `postgresql://${names.databaseOwner}:${password}@${names.postgresService}:5432/small`;
    const items = postgresWithSmallDisk(password);
    await kubectl.run(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await kubectl.run(["rollout", "status", `deployment/${names.postgres}`, "--timeout=120s"], "", 130);
    const admin = ["psql", "-U", names.databaseOwner, "-d", names.database, "-c"];
    await kubectl.exec(`deployment/${names.postgres}`, names.postgres, ["mkdir", "/small/tablespace"]);
    for (const statement of [
      "CREATE TABLESPACE small LOCATION '/small/tablespace'",
      "CREATE DATABASE small TABLESPACE small",
    ])
      await kubectl.exec(`deployment/${names.postgres}`, names.postgres, [...admin, statement]);
    [ninth] = await Promise.all([ninthRelease(), stack.deploy({ values: { databaseUrl } })]);
    await stack.psql("CREATE TABLE fault (what text); INSERT INTO fault VALUES ('disk')");
  });
  after(async () => {
    ninth?.remove();
    await stack.end();
  });

  it("F12: fails with its SQLSTATE, rolled back; `up` succeeds once there is room", async () => {
    await stack.inject({
      name: "F12 disk full",
      messages: [/No space left on device/, /SQLSTATE 53100/, /ninth/],
      up: () => stack.run("up", ninth),
      revisions: [heads.eighth],
    });
    assert.equal(await stack.psql("SELECT to_regclass('ninths') IS NULL"), "t");
    await stack.psql("DELETE FROM fault");
    await stack.recover(ninth);
    assert.equal(await stack.psql("SELECT version_num FROM alembic_version"), heads.ninth);
  });
});
