import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as alembic from "pulumi-alembic";

const config = new pulumi.Config();
const cluster = { context: config.get("context"), kubeconfig: config.getSecret("kubeconfig") };
const [namespace, image] = [config.require("namespace"), config.require("image")];
const database = config.requireSecret("databaseUrl");
const plan = await alembic.planMigration({ name: "notes", appFolder: "app", image, database, namespace, cluster });

const provider = alembic.clusterProvider("cluster", { ...cluster, namespace });
const migration = new alembic.MigrationJob("notes", { plan }, { provider });

const labels = { "app.kubernetes.io/name": "notes" };
const container = {
  name: "notes",
  image,
  env: [migration.databaseUrl],
  ports: [{ containerPort: 9000 }],
  readinessProbe: { httpGet: { path: "/readyz", port: 9000 } },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};
const securityContext = { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } };
const template = { metadata: { labels }, spec: { securityContext, containers: [container] } };
const spec = { replicas: config.requireNumber("replicas"), selector: { matchLabels: labels }, template };
// The verification waits for the rollout, and reports its cause if it fails.
const metadata = { name: "notes", annotations: { "pulumi.com/skipAwait": "true" } };
const deployment = { metadata, spec: migration.gate(spec) };
const web = new k8s.apps.v1.Deployment("web", deployment, { provider, dependsOn: migration });
const checked = [
  ...alembic.generalChecks,
  alembic.http("/readyz", { json: { pointer: "/revision", value: plan.head } }),
];
const verification = new alembic.PostDeployVerification("notes", { migration, workloads: [web], checks: checked });

/** Name of the migration Job. */
export const jobName = migration.jobName;
/** Results of the checks, by name. */
export const checks = verification.results;
