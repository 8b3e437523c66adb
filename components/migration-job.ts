import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import { unity } from "../src/manifests/app.ts";
import { jobStartSeconds, jobWaitSeconds, type MigrationOptions, migration } from "../src/manifests/migrate-job.ts";
import { names } from "../src/manifests/names.ts";
import { restorePointsClaimSpec } from "../src/manifests/restore-points.ts";
import { childOptions, objectMetadata, withoutAwait } from "./children.ts";
import { clusterInputs, waitCommand } from "./commands.ts";
import { jobMetadata, runnerObjects } from "./migration-objects.ts";
import { validatePods } from "./pod-config.ts";

/** Arguments of {@link MigrationJob}. */
export interface MigrationJobArgs extends MigrationOptions, ClusterArgs {
  /** Kubernetes namespace of the Job and its Secret. */
  readonly namespace: pulumi.Input<string>;
  /**
   * Size of the volume for restore points, as a Kubernetes quantity.
   *
   * @defaultValue "1Gi"
   */
  readonly restorePointStorage?: string | undefined;
  /**
   * Number of the attempt at the same work, from `planMigration`.
   *
   * @defaultValue 1
   */
  readonly attempt?: number;
  /**
   * Plan of a new Job, or the one that the existing Job was created with, as JSON: the runner refuses to change another
   * database, or to start at another revision. Unity's own program passes it.
   *
   * @defaultValue nothing: the runner migrates from any revision
   */
  readonly plan?: string | undefined;
}

/**
 * Migrates a database with a Job. Resources that depend on it are created only after the Job has completed.
 *
 * @example
 * ```ts
 * const target = { context: "my-cluster", namespace: "notes" };
 * const options = { ...loadChain("app"), image, imagePullPolicy: "IfNotPresent", secretName: "notes-database", timeouts };
 * const { attempt } = await planMigration(options, target);
 * const migration = new MigrationJob("migration", { ...options, ...target, attempt }, { provider });
 * ```
 */
export class MigrationJob extends pulumi.ComponentResource {
  static readonly token = "unity:index:MigrationJob";
  /** Name of the Job, with a hash of its work. */
  readonly jobName: string;
  /** Name of the ConfigMap with the runner. */
  readonly configMapName: string;

  constructor(name: string, args: MigrationJobArgs, options?: pulumi.ComponentResourceOptions) {
    super(MigrationJob.token, name, {}, options);
    validatePods(this, "migration", args);
    const { namespace, tenant, restorePointImage } = args;
    const { app = unity, attempt = 1, restorePointStorage = "1Gi", pod } = args;

    const { configMapName, files, jobSpec, ...job } = migration(args);
    const jobName = job.jobName(attempt);

    const dependencies = runnerObjects(
      name,
      { namespace, app, configMapName, files, pod },
      childOptions(this, options),
    );
    if (restorePointImage !== undefined) {
      const metadata = withoutAwait(objectMetadata(names.restorePoints, namespace, app.migrateJob, app));
      const claim = new k8s.core.v1.PersistentVolumeClaim(
        `${name}-restore-points`,
        { metadata, spec: restorePointsClaimSpec(restorePointStorage) },
        childOptions(this, options, { retainOnDelete: true }),
      );
      dependencies.push(claim);
    }
    const declared = new k8s.batch.v1.Job(
      `${name}-job`,
      { metadata: jobMetadata(jobName, namespace, app, tenant), spec: jobSpec(args.plan) },
      childOptions(this, options, { dependsOn: dependencies }),
    );
    const limits = { timeoutSeconds: jobWaitSeconds(args), startTimeoutSeconds: jobStartSeconds(args) };
    const workload = args.app?.migrateJob;
    const target = { ...clusterInputs(args), namespace, name: jobName, ...limits, workload };
    waitCommand(`${name}-completion`, "job", target, declared.metadata.uid, { parent: this, dependsOn: declared });

    const outputs = { jobName, configMapName };
    this.jobName = outputs.jobName;
    this.configMapName = outputs.configMapName;
    this.registerOutputs(outputs);
  }
}
