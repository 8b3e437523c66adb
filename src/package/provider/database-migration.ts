import * as pulumi from "@pulumi/pulumi";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationJob } from "../../../components/migration-job.ts";
import type { MigrationOptions } from "../../manifests/migrate-job.ts";
import { loadChain } from "../../preflight/release.ts";
import { type CommonArgs, timeoutsOf } from "./arguments.ts";

/** Arguments of {@link DatabaseMigration}. */
export interface DatabaseMigrationArgs extends CommonArgs {
  /** Secret in the namespace with the database's DATABASE_URL. */
  secretName: string;
}

/** Returns the options for the migration. */
export function databaseMigrationOptions(args: DatabaseMigrationArgs): MigrationOptions {
  const { image, imagePullPolicy = "IfNotPresent", appFolder, secretName } = args;
  return { ...loadChain(appFolder), image, imagePullPolicy, secretName, timeouts: timeoutsOf(args) };
}

/**
 * Migrates a database to the head of its app's chain with a Job. Resources that depend on it are created after that.
 *
 * @example
 * ```yaml
 * migration:
 *   type: unity:index:DatabaseMigration
 *   properties:
 *     context: my-cluster
 *     namespace: notes
 *     image: registry.example/notes:1.0
 *     appFolder: app
 *     secretName: notes-database
 * ```
 */
export class DatabaseMigration extends pulumi.ComponentResource {
  /** Name of the Job. */
  readonly jobName: pulumi.Output<string>;

  constructor(name: string, args: DatabaseMigrationArgs, options?: pulumi.ComponentResourceOptions, attempt = 1) {
    super("unity:index:DatabaseMigration", name, {}, options);
    const { context, kubeconfig, namespace } = args;
    const target = { context, kubeconfig, namespace };
    const provider = clusterProvider(`${name}-cluster`, target, { parent: this });
    const job = new MigrationJob(
      name,
      { ...databaseMigrationOptions(args), ...target, attempt },
      { parent: this, provider, dependsOn: options?.dependsOn },
    );
    const outputs = { jobName: pulumi.output(job.jobName) };
    this.jobName = outputs.jobName;
    this.registerOutputs(outputs);
  }
}
