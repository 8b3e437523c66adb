import * as pulumi from "@pulumi/pulumi";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationJob } from "../../../components/migration-job.ts";
import type { MigrationPlan, MigrationPlanArgs } from "../../../components/plan-migration.ts";
import { type CommonArgs, timeoutsOf } from "./arguments.ts";

/** Arguments of {@link DatabaseMigration}. */
export interface DatabaseMigrationArgs extends CommonArgs {
  /** Secret in the namespace with the database's DATABASE_URL. */
  secretName: string;
}

/** Returns the arguments of the migration's plan. */
export function planArguments(args: DatabaseMigrationArgs): MigrationPlanArgs {
  const { name, namespace, context, kubeconfig, image, imagePullPolicy, appFolder, secretName } = args;
  return {
    name,
    appFolder,
    image,
    imagePullPolicy,
    namespace,
    cluster: { context, kubeconfig },
    database: { secretName },
    timeouts: timeoutsOf(args),
  };
}

/**
 * Migrates a database to the head of its app's chain with a Job. Resources that depend on it are created after that.
 *
 * @example
 * ```yaml
 * migration:
 *   type: unity:index:DatabaseMigration
 *   properties:
 *     name: notes
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

  constructor(
    name: string,
    args: DatabaseMigrationArgs,
    options?: pulumi.ComponentResourceOptions,
    plan?: MigrationPlan,
  ) {
    super("unity:index:DatabaseMigration", name, {}, options);
    if (plan === undefined) throw new pulumi.ResourceError("no plan", this);
    const { context, kubeconfig, namespace } = args;
    const target = { context, kubeconfig, namespace };
    const provider = clusterProvider(`${name}-cluster`, target, { parent: this });
    const job = new MigrationJob(name, { plan }, { parent: this, provider, dependsOn: options?.dependsOn });
    const outputs = { jobName: job.jobName };
    this.jobName = outputs.jobName;
    this.registerOutputs(outputs);
  }
}
