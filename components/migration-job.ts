import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { migrateJobSpec } from "../manifests/migrate-job.ts";
import { names } from "../manifests/names.ts";
import { runnerConfigMapName, runnerFiles, type TimeBudget } from "../manifests/runner.ts";
import { migrationJobName } from "../migrations/job-identity.ts";
import { type Lock, lockDigest } from "../migrations/lock.ts";
import { childOptions } from "./child-options.ts";
import { objectMetadata } from "./metadata.ts";

/** Arguments of {@link MigrationJob}. */
export interface MigrationJobArgs {
  readonly namespace: pulumi.Input<string>;
  /** Backend image: it holds the revisions that the lock records. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Secret with `DATABASE_URL`. */
  readonly secretName: string;
  readonly lock: Lock;
  /** Python source of the runner. */
  readonly runnerSource: string;
  readonly budget: TimeBudget;
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
    const { namespace, lock, budget } = args;
    const files = runnerFiles(lock, args.runnerSource);
    this.configMapName = runnerConfigMapName(files);
    const spec = migrateJobSpec({ ...args, configMapName: this.configMapName });
    this.jobName = migrationJobName(names.migrateJob, lockDigest(lock), spec);

    const runner = new k8s.core.v1.ConfigMap(
      `${name}-runner`,
      {
        metadata: objectMetadata(this.configMapName, namespace, names.migrateJob),
        data: files,
        immutable: true,
      },
      childOptions(this, options),
    );
    new k8s.batch.v1.Job(
      `${name}-job`,
      { metadata: objectMetadata(this.jobName, namespace, names.migrateJob), spec },
      childOptions(this, options, {
        dependsOn: runner,
        customTimeouts: { create: `${budget.awaitTimeoutSeconds}s` },
      }),
    );
    this.registerOutputs({ jobName: this.jobName });
  }
}
