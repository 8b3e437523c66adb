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
const envFrom = [{ secretRef: { name: "shop-settings" } }];
const appFolder = "../backend";
const plan = await planMigration({ name: "shop", appFolder, image, database, namespace, cluster, pod: { envFrom } });
const provider = clusterProvider("cluster", { ...cluster, namespace });
const migration = new MigrationJob("shop", { plan }, { provider });

/** Declares a Deployment whose pods start on the migrated schema only. */
function deploy(name: string, pod: k8s.types.input.core.v1.PodSpec): k8s.apps.v1.Deployment {
  const [labels, skipAwait] = [{ app: name }, { "pulumi.com/skipAwait": "true" }]; // the verification waits
  const spec = migration.gate({ selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } });
  const metadata = { name, annotations: skipAwait };
  return new k8s.apps.v1.Deployment(name, { metadata, spec }, { provider, dependsOn: migration });
}

const app = { image, env: [migration.databaseUrl], envFrom };
const healthy = "/api/v1/utils/health-check/";
const readinessProbe = { httpGet: { path: healthy, port: 8000 } };
const web = deploy("web", {
  initContainers: [{ ...app, name: "initial-data", command: ["python", "-m", "app.initial_data"] }],
  containers: [{ ...app, name: "web", ports: [{ containerPort: 8000 }], readinessProbe }],
});
const worker = deploy("worker", { containers: [{ ...app, name: "worker", command: ["python", "-m", "app.worker"] }] });
const checks = [...generalChecks, http(healthy)];
export const { results } = new PostDeployVerification("shop", { migration, workloads: [web, worker], checks });
