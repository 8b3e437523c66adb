import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  clusterProvider,
  generalChecks,
  http,
  MigrationJob,
  PostDeployVerification,
  planMigration,
} from "pulumi-alembic";

const config = new pulumi.Config();
const cluster = { context: config.get("context") };
const [namespace, image] = [config.require("namespace"), config.require("image")];
const database = config.requireSecret("databaseUrl");
const pod = { envFrom: [{ secretRef: { name: "library-settings" } }] }; // variables that create_app() requires
const appFolder = "../backend";
const plan = await planMigration({ name: "library", appFolder, image, database, namespace, cluster, pod });
const provider = clusterProvider("cluster", { ...cluster, namespace });
const migration = new MigrationJob("library", { plan }, { provider });

const labels = { app: "library" };
const container = {
  name: "web",
  image,
  env: [migration.databaseUrl],
  ...pod,
  ports: [{ containerPort: 5000 }],
  readinessProbe: { httpGet: { path: "/healthz", port: 5000 } },
};
const template = { metadata: { labels }, spec: { containers: [container] } };
const spec = migration.gate({ selector: { matchLabels: labels }, template });
const metadata = { name: "library", annotations: { "pulumi.com/skipAwait": "true" } }; // the verification waits
const web = new k8s.apps.v1.Deployment("web", { metadata, spec }, { provider, dependsOn: migration });
const checks = [...generalChecks, http("/healthz"), http("/books", { name: "books" })];
export const { results } = new PostDeployVerification("library", { migration, workloads: [web], checks });
