import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { App } from "../src/manifests/app.ts";
import type { Migration } from "../src/manifests/migrate-job.ts";
import { objectMetadata } from "./metadata.ts";
import { serviceAccount } from "./service-account.ts";

/** What migrate Jobs of an app run with. */
interface RunnerObjects extends Pick<Migration, "configMapName" | "files"> {
  readonly namespace: pulumi.Input<string>;
  readonly app: App;
}

/** Declares what must be there before a migrate Job: its account, and the ConfigMap that holds the runner. */
export function runnerObjects(
  name: string,
  { namespace, app, configMapName, files }: RunnerObjects,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const metadata = objectMetadata(configMapName, namespace, app.migrateJob, app);
  return [
    serviceAccount(name, app.accounts.migrations, namespace, app.migrateJob, options, app),
    new k8s.core.v1.ConfigMap(`${name}-runner`, { metadata, data: files, immutable: true }, options),
  ];
}
