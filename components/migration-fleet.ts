import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type FleetOptions, fleetErrors, fleetMigrations, orderTenants } from "../src/fleet/fleet.ts";
import type { TenantAttempt } from "../src/fleet/plan.ts";
import { unity } from "../src/manifests/app.ts";
import { migrationLabels } from "../src/manifests/tenant.ts";
import { childOptions } from "./child-options.ts";
import { fixedProgram } from "./fixed-program.ts";
import { objectMetadata, withoutAwait } from "./metadata.ts";
import { runnerObjects } from "./runner-objects.ts";

/** Arguments of {@link MigrationFleet}. */
export interface MigrationFleetArgs extends FleetOptions {
  /** Namespace of the Jobs and of the tenants' Secrets. */
  readonly namespace: pulumi.Input<string>;
  /** Kubeconfig context in which the Jobs are started and watched. */
  readonly context: string;
  /**
   * Tenants that migrate before all others: names, or the number of the first tenants. The others start only once all
   * canaries are done.
   *
   * @defaultValue 1
   */
  readonly canaries?: number | readonly string[];
  /**
   * Maximum number of tenants that migrate at the same time, including canaries.
   *
   * @defaultValue 4
   */
  readonly parallelism?: number;
  /**
   * Attempt of each tenant's work, from `planFleet`.
   *
   * @defaultValue the first attempt
   */
  readonly attempts?: readonly TenantAttempt[];
}

/**
 * Migrates several databases of one chain: a Job for each, a limited number at a time, canaries first. Dependents are
 * created only once all databases are migrated.
 *
 * The Jobs are declared suspended, and one command starts them: it keeps to the limit, starts no more Jobs once a canary
 * has failed, continues after any other failure, and fails at the end with every failed tenant's name and cause. An order
 * of `dependsOn` could not do that: it would hold back the tenants behind a failed one. A Job's deadline begins when it is
 * started, and a suspended Job has no pod. From then on, `spec.suspend` belongs to the command (`ignoreChanges`), so that
 * no update suspends a running Job. If an update is killed, its Jobs continue, and the next update waits for them.
 */
export class MigrationFleet extends pulumi.ComponentResource {
  static readonly token = "unity:index:MigrationFleet";
  /** Name of each tenant's Job, by the tenant's name. */
  readonly jobNames: Readonly<Record<string, string>>;
  /** Name of the ConfigMap that holds the runner. */
  readonly configMapName: string;

  constructor(name: string, args: MigrationFleetArgs, options?: pulumi.ComponentResourceOptions) {
    super(MigrationFleet.token, name, {}, options);
    const { namespace, context, canaries = 1, parallelism = 4, attempts = [], app = unity } = args;
    const errors = fleetErrors(app, args.tenants, canaries, parallelism);
    if (errors.length > 0) throw new pulumi.ResourceError(`${name}:\n  - ${errors.join("\n  - ")}`, this);
    const { configMapName, files, migrations } = fleetMigrations(args);
    this.configMapName = configMapName;

    const runner = runnerObjects(name, { namespace, app, configMapName, files }, childOptions(this, options));
    const planned = new Map(attempts.map((attempt) => [attempt.tenant, attempt]));
    const jobs = migrations.map(({ tenant, jobName, jobSpec }) => {
      const { attempt = 1, started = false } = planned.get(tenant) ?? {};
      const metadata = withoutAwait(objectMetadata(jobName(attempt), namespace, app.migrateJob, app));
      // Each Job is a resource of its own, so that `ignoreChanges` keeps no value of the previous one.
      const job = new k8s.batch.v1.Job(
        `${name}-${metadata.name}`,
        {
          metadata: { ...metadata, labels: migrationLabels(app, tenant) },
          spec: { ...jobSpec, suspend: !started },
        },
        childOptions(this, options, { dependsOn: runner, ignoreChanges: ["spec.suspend"] }),
      );
      return { tenant, name: metadata.name, job };
    });
    this.jobNames = Object.fromEntries(jobs.map((job) => [job.tenant, job.name]));
    const target = {
      context,
      namespace,
      workload: app.migrateJob,
      parallelism,
      timeoutSeconds: args.timeouts.awaitTimeoutSeconds,
      jobs: orderTenants(
        jobs.map((job) => ({ tenant: job.tenant, name: job.name })),
        canaries,
      ),
    };
    new local.Command(
      `${name}-completion`,
      {
        ...fixedProgram("src/fleet/main", "fleet"),
        stdin: pulumi.jsonStringify(target),
        triggers: [pulumi.all(jobs.map(({ job }) => job.metadata.uid)).apply((uids) => uids.join())],
        logging: local.Logging.Stdout,
      },
      { parent: this, dependsOn: jobs.map(({ job }) => job) },
    );
    this.registerOutputs({ jobNames: this.jobNames });
  }
}
