import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { MigratedApp } from "../src/manifests/app.ts";
import type { Migration } from "../src/manifests/migrate-job.ts";
import type { PodConfig } from "../src/manifests/pod-config.ts";
import { migrationLabels } from "../src/manifests/tenant.ts";
import { type ObjectMetadata, objectMetadata, serviceAccount, withoutAwait } from "./children.ts";

/** Options for the objects that migration Jobs use. */
interface RunnerObjects extends Pick<Migration, "configMapName" | "files"> {
  readonly namespace: pulumi.Input<string>;
  readonly app: MigratedApp;
  readonly pod?: PodConfig | undefined;
}

/** Declares the objects that must exist before a migration Job: its service account, and the ConfigMap with the runner. */
export function runnerObjects(
  name: string,
  { namespace, app, configMapName, files, pod }: RunnerObjects,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const metadata = objectMetadata(configMapName, namespace, app.migrateJob, app);
  return [
    serviceAccount(name, app.accounts.migrations, namespace, app.migrateJob, options, app, pod),
    new k8s.core.v1.ConfigMap(`${name}-runner`, { metadata, data: files, immutable: true }, options),
  ];
}

/**
 * Returns the metadata of a migration Job. The provider's own wait would not report pods that can't start or can't be
 * created before the Job's deadline.
 */
export function jobMetadata(
  jobName: pulumi.Input<string>,
  namespace: pulumi.Input<string>,
  app: MigratedApp,
  tenant: string | undefined,
): ObjectMetadata {
  const metadata = withoutAwait(objectMetadata(jobName, namespace, app.migrateJob, app));
  return { ...metadata, labels: migrationLabels(app, tenant) };
}
