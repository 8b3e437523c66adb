// Program of another project, as CommonJS or with the strictest options of TypeScript: it is only compiled.
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  clusterProvider,
  command,
  generalChecks,
  http,
  MigrationJob,
  type MigrationPolicy,
  PostDeployVerification,
  planMigration,
  sql,
} from "pulumi-alembic";

/** Declares an app. Each optional argument may be missing in the configuration of a stack. */
export async function declare(config: pulumi.Config): Promise<pulumi.Output<unknown>> {
  const cluster = {
    context: config.get("context"),
    kubeconfig: config.getSecret("kubeconfig"),
    clusterTimeoutSeconds: config.getNumber("clusterTimeoutSeconds"),
  };
  const [image, storage] = [config.get("restoreImage"), config.get("storage")];
  const policy: MigrationPolicy = {
    environment: config.getObject<"staging">("environment"),
    approvals: config.getObject<{ revision: string; rule: string }[]>("approvals"),
    planHash: config.get("planHash"),
    targetRevision: config.get("targetRevision"),
    allowDowngrade: config.getBoolean("allowDowngrade"),
    toleratedRevisions: config.getObject<string[]>("toleratedRevisions"),
    restorePoint: image === undefined ? undefined : { image, storage },
    promotedFrom: config.get("promotedFrom"),
  };
  const plan = await planMigration({
    name: "notes",
    appFolder: "app",
    image: config.require("image"),
    imagePullPolicy: config.get("imagePullPolicy"),
    database: { secretName: "notes-database", version: config.get("version") },
    namespace: "notes",
    cluster: config.getBoolean("isAmbient") ? undefined : cluster,
    policy: config.getBoolean("isLimited") ? policy : undefined,
    timeouts: { deadlineSeconds: config.getNumber("deadlineSeconds") },
    pod: config.getObject<{ env: { name: string; value: string }[] }>("pod"),
    names: { partOf: config.get("partOf") },
    workloads: config.getObject<string[]>("workloads"),
    tls: config.getObject<{ mode: "require" }>("tls"),
    podSecurityStandard: config.getObject<"baseline">("podSecurityStandard"),
  });
  const provider = clusterProvider("cluster", { ...cluster, namespace: "notes" });
  const migration = new MigrationJob("notes", { plan }, { provider });
  const container = { name: "web", image: "web:1", env: [migration.databaseUrl] };
  const spec: k8s.types.input.apps.v1.DeploymentSpec = {
    selector: {},
    template: { spec: { containers: [container] } },
  };
  const gated = migration.gate(spec, config.getObject<{ env: { name: string }[] }>("gate"));
  const web = new k8s.apps.v1.Deployment("web", { spec: gated }, { provider, dependsOn: migration });
  const later = migration.gate(pulumi.output(spec));
  const worker = new k8s.apps.v1.Deployment("worker", { spec: later }, { provider, dependsOn: migration });
  const jobTemplate = { spec: migration.gate({ template: { spec: { containers: [container] } } }) };
  new k8s.batch.v1.CronJob("tick", { spec: { schedule: "@daily", jobTemplate } }, { provider, dependsOn: migration });
  const verification = new PostDeployVerification("notes", {
    migration,
    workloads: [web, worker.metadata.name, "scheduler"],
    checks: [
      ...generalChecks,
      http("/healthz", { status: config.getNumber("status") }),
      sql("SELECT 1 AS one", [{ one: 1 }], { timeoutSeconds: config.getNumber("seconds") }),
      command(["true"], { container: config.get("container") }),
    ],
    image: config.get("webImage"),
    rolloutTimeoutSeconds: config.getNumber("rolloutTimeoutSeconds"),
    recentSeconds: config.getNumber("recentSeconds"),
    triggers: config.getObject<string[]>("triggers"),
  });
  return verification.results;
}
