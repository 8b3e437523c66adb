import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { TenantAttempt } from "../src/fleet/attempts.ts";
import { type FleetOptions, fleetMigrations } from "../src/fleet/options.ts";
import { fleetErrors, orderTenants } from "../src/fleet/order.ts";
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
  /** Context of the kubeconfig, in which the Jobs are started and watched. */
  readonly context: string;
  /**
   * Tenants that are migrated first: the others start only once all of these are done. A number: the first so many.
   *
   * @defaultValue 1
   */
  readonly canaries?: number | readonly string[];
  /**
   * How many tenants migrate at once, canaries too.
   *
   * @defaultValue 4
   */
  readonly parallelism?: number;
  /**
   * Which attempt of each tenant's work this is, of `planFleet`.
   *
   * @defaultValue the first
   */
  readonly attempts?: readonly TenantAttempt[];
}

/**
 * Migrates several databases of one chain, a Job for each, so many at once, canaries first. What depends on it exists
 * only once all are migrated.
 *
 * The Jobs are declared suspended, and one command starts them: it keeps to the limit, starts nothing more once a canary
 * has failed, goes on past any other failure, and fails at the end with every failed tenant's name and cause. An order
 * of `dependsOn` could not: it would hold back the tenants behind a failed one. A Job's deadline begins when it is
 * started, and one that waits has no pod. `spec.suspend` is the command's from then on (`ignoreChanges`), so that no
 * update ever suspends what runs. An update that was killed leaves what runs to the next one, which waits for it.
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
      // Another Job is another resource, so that `ignoreChanges` takes nothing over from the one before.
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
