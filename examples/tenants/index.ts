import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { clusterProvider, loadChain, MigrationFleet, migratedApp, planFleet } from "pulumi-alembic";

const config = new pulumi.Config();
const target = { context: config.require("context"), namespace: config.require("namespace") };
const serverUrl = config.requireSecret("serverUrl");
const tenants = config
  .requireObject<readonly string[]>("tenants")
  .map((name) => ({ name, secretName: `notes-${name}` }));

const fleet = {
  ...loadChain("../notes/app"),
  app: migratedApp("notes"),
  image: config.require("image"),
  imagePullPolicy: "IfNotPresent",
  tenants,
  timeouts: { lockTimeoutSeconds: 5, statementTimeoutSeconds: 60, deadlineSeconds: 300, awaitTimeoutSeconds: 330 },
};
// After a failed update, the failed tenants get another attempt.
const attempts = await planFleet(fleet, target);

const provider = clusterProvider("cluster", target);
const secrets = tenants.map(
  ({ name, secretName }) =>
    new k8s.core.v1.Secret(
      secretName,
      { metadata: { name: secretName }, stringData: { DATABASE_URL: pulumi.interpolate`${serverUrl}/${name}` } },
      { provider },
    ),
);
const migrations = new MigrationFleet(
  "notes",
  {
    ...fleet,
    ...target,
    attempts,
    canaries: config.requireNumber("canaries"),
    parallelism: config.requireNumber("parallelism"),
  },
  { provider, dependsOn: secrets },
);

/** Names of the Jobs, by tenant. */
export const jobNames = migrations.jobNames;
