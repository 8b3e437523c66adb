import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  type App,
  BackendDeployment,
  clusterProvider,
  generalChecks,
  http,
  loadChain,
  MigrationJob,
  PostDeployVerification,
  planMigration,
} from "unity-migrations";

const config = new pulumi.Config();
const target = {
  context: config.get("context"),
  kubeconfig: config.getSecret("kubeconfig"),
  namespace: config.require("namespace"),
};

const app: App = {
  backend: "notes",
  migrateJob: "notes-db-migrate",
  partOf: "notes",
  port: 9000,
  paths: { alive: "/healthz", ready: "/readyz" },
  accounts: { backend: "notes", migrations: "notes-migrations" },
  userId: 10001,
};
const secretName = "notes-database";
const chain = loadChain("app");
const release = {
  ...chain,
  app,
  image: config.require("image"),
  imagePullPolicy: "IfNotPresent",
  secretName,
  timeouts: { lockTimeoutSeconds: 5, statementTimeoutSeconds: 60, deadlineSeconds: 300, awaitTimeoutSeconds: 330 },
};
const { attempt } = await planMigration(release, target);

const provider = clusterProvider("cluster", target);
const secret = new k8s.core.v1.Secret(
  "database",
  { metadata: { name: secretName }, stringData: { DATABASE_URL: config.requireSecret("databaseUrl") } },
  { provider },
);
const migration = new MigrationJob("migration", { ...release, ...target, attempt }, { provider, dependsOn: secret });
const service = new BackendDeployment(
  "service",
  {
    ...release,
    ...target,
    configMapName: migration.configMapName,
    jobName: migration.jobName,
    secretVersion: secret.metadata.resourceVersion,
    replicas: config.requireNumber("replicas"),
    initContainer: "wait",
    progressDeadlineSeconds: 120,
  },
  { provider, dependsOn: migration },
);
const verification = new PostDeployVerification(
  "verification",
  {
    target: {
      ...target,
      head: chain.head,
      toleratedRevisions: [],
      owned: false,
      lockFile: "app/migrations.lock.json",
      workloads: [app.backend],
      checks: [...generalChecks, http("/readyz", { json: { pointer: "/revision", value: chain.head } })],
    },
    rollout: service.rollout,
  },
  { dependsOn: service },
);

/** Name of the migration Job. */
export const jobName = migration.jobName;
/** Results of the checks, by name. */
export const checks = verification.results;
