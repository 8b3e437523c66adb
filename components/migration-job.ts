import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { unity } from "../src/manifests/app.ts";
import { type MigrationOptions, migration } from "../src/manifests/migrate-job.ts";
import { names } from "../src/manifests/names.ts";
import { restorePointsClaimSpec } from "../src/manifests/restore-points.ts";
import { migrationLabels } from "../src/manifests/tenant.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata, withoutAwait } from "./metadata.ts";
import { runnerObjects } from "./runner-objects.ts";
import { waitCommand } from "./wait-command.ts";

/** Arguments of {@link MigrationJob}. */
export interface MigrationJobArgs extends MigrationOptions {
  /** Kubernetes namespace of its objects. */
  readonly namespace: pulumi.Input<string>;
  /** Context of the kubeconfig, in which the Job is watched. */
  readonly context: string;
  /**
   * Size of the volume for restore points, as a Kubernetes quantity.
   *
   * @defaultValue "1Gi"
   */
  readonly restorePointStorage?: string | undefined;
  /**
   * Number of the attempt at this very work.
   *
   * @defaultValue 1
   */
  readonly attempt?: number;
}

/** The Job that brings the database to head. What depends on it exists only once it is complete. */
export class MigrationJob extends pulumi.ComponentResource {
  static readonly token = "unity:index:MigrationJob";
  /** Name of the Job: what it does, as a hash. */
  readonly jobName: string;
  /** Name of the ConfigMap that holds the runner. */
  readonly configMapName: string;

  constructor(name: string, args: MigrationJobArgs, options?: pulumi.ComponentResourceOptions) {
    super(MigrationJob.token, name, {}, options);
    const { context, namespace, timeouts, attempt = 1, tenant, app = unity } = args;
    const { configMapName, files, jobSpec: spec, jobName } = migration(args);
    this.configMapName = configMapName;
    this.jobName = jobName(attempt);

    const runner = runnerObjects(name, { namespace, app, configMapName, files }, childOptions(this, options));
    const restorePoints =
      args.restorePointImage === undefined
        ? []
        : [
            new k8s.core.v1.PersistentVolumeClaim(
              `${name}-restore-points`,
              {
                metadata: withoutAwait(objectMetadata(names.restorePoints, namespace, app.migrateJob, app)),
                spec: restorePointsClaimSpec(args.restorePointStorage ?? "1Gi"),
              },
              childOptions(this, options, { retainOnDelete: true }),
            ),
          ];
    // The provider's own wait says nothing of a pod that can't start, or that may not be made, before the Job's deadline.
    const metadata = withoutAwait(objectMetadata(this.jobName, namespace, app.migrateJob, app));
    const job = new k8s.batch.v1.Job(
      `${name}-job`,
      { metadata: { ...metadata, labels: migrationLabels(app, tenant) }, spec },
      childOptions(this, options, { dependsOn: [...runner, ...restorePoints] }),
    );
    const timeoutSeconds = timeouts.awaitTimeoutSeconds;
    const target = { context, namespace, name: this.jobName, timeoutSeconds, workload: args.app?.migrateJob };
    waitCommand(`${name}-completion`, "job", target, job.metadata.uid, { parent: this, dependsOn: job });
    this.registerOutputs({ jobName: this.jobName });
  }
}
