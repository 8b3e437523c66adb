import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import { type FleetOptions, fleetErrors, fleetMigrations, orderTenants } from "../src/fleet/fleet.ts";
import type { TenantAttempt } from "../src/fleet/plan.ts";
import { jobStartSeconds, jobWaitSeconds } from "../src/manifests/migrate-job.ts";
import { childOptions, withFormerType } from "./children.ts";
import { clusterInputs, fixedProgram } from "./commands.ts";
import { jobMetadata, runnerObjects } from "./migration-objects.ts";
import { validatePods } from "./pod-config.ts";

/** Arguments of {@link MigrationFleet}. */
export interface MigrationFleetArgs extends FleetOptions, ClusterArgs {
  /** Kubernetes namespace of the Jobs and the tenants' Secrets. */
  readonly namespace: pulumi.Input<string>;
  /**
   * Tenants to migrate before all others, by name, or as the number of first tenants.
   *
   * @defaultValue 1
   */
  readonly canaries?: number | readonly string[] | undefined;
  /**
   * Maximum number of tenants to migrate at the same time.
   *
   * @defaultValue 4
   */
  readonly parallelism?: number | undefined;
  /**
   * Attempts of the tenants' migrations, from `planFleet`.
   *
   * @defaultValue the first attempt of each
   */
  readonly attempts?: readonly TenantAttempt[] | undefined;
}

/**
 * Migrates several databases of one chain, with a Job for each tenant, canaries first. Resources that depend on it are
 * created only after all tenants are migrated.
 *
 * The Jobs are declared suspended, and one command starts them. It limits how many run, starts no others after a canary
 * has failed, continues after any other failure, and ends with the name and the cause of each failure. `dependsOn` can't
 * do that: a failed Job would block those after it. A Job's deadline begins when it is started, and a suspended Job has no
 * pod. After the start, the command manages `spec.suspend` (`ignoreChanges`), so that no update suspends a running Job.
 * If an update is interrupted, its Jobs keep running, and the next update waits for them.
 *
 * @example
 * ```ts
 * const target = { context: "my-cluster", namespace: "notes" };
 * const tenants = ["acme", "beta"].map((name) => ({ name, secretName: `notes-${name}` }));
 * const app = migratedApp("notes");
 * const options = { ...loadChain("app"), app, image, imagePullPolicy: "IfNotPresent", tenants, timeouts };
 * const attempts = await planFleet(options, target);
 * const fleet = new MigrationFleet("notes", { ...options, ...target, attempts, canaries: ["acme"] }, { provider });
 * ```
 */
export class MigrationFleet extends pulumi.ComponentResource {
  static readonly token = "pulumi-alembic:index:MigrationFleet";
  /** Names of the Jobs, by tenant. */
  readonly jobNames: Readonly<Record<string, string>>;
  /** Name of the ConfigMap with the runner. */
  readonly configMapName: string;

  constructor(name: string, args: MigrationFleetArgs, options?: pulumi.ComponentResourceOptions) {
    super(MigrationFleet.token, name, {}, withFormerType(MigrationFleet.token, options));
    const { namespace, canaries = 1, parallelism = 4, attempts = [], app } = args;
    const errors = fleetErrors(app, args.tenants, canaries, parallelism);
    if (errors.length > 0) {
      const message = `invalid arguments of MigrationFleet ${name}:\n  - ${errors.join("\n  - ")}`;
      throw new pulumi.ResourceError(message, this, true);
    }

    validatePods(this, "migration", args);

    const { configMapName, files, migrations } = fleetMigrations(args);

    const objects = { namespace, app, configMapName, files, pod: args.pod };
    const dependencies = runnerObjects(name, objects, childOptions(this, options));
    const jobs = migrations.map(({ tenant, jobName, jobSpec }) => {
      const { attempt = 1, started = false } = attempts.find((each) => each.tenant === tenant) ?? {};
      const ownName = jobName(attempt);
      const metadata = jobMetadata(ownName, namespace, app, tenant);
      const job = new k8s.batch.v1.Job(
        // With the Job's name, so that another Job is a new resource, which inherits nothing through `ignoreChanges`.
        `${name}-${ownName}`,
        { metadata, spec: { ...jobSpec(), suspend: !started } },
        childOptions(this, options, { dependsOn: dependencies, ignoreChanges: ["spec.suspend"] }),
      );
      return { tenant, name: ownName, job };
    });
    const fleetJobs = jobs.map((job) => ({ tenant: job.tenant, name: job.name }));
    const target = {
      ...clusterInputs(args),
      namespace,
      workload: app.migrateJob,
      parallelism,
      timeoutSeconds: jobWaitSeconds(args),
      startTimeoutSeconds: jobStartSeconds(args),
      jobs: orderTenants(fleetJobs, canaries),
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

    const jobNames = Object.fromEntries(fleetJobs.map((job) => [job.tenant, job.name]));
    const outputs = { jobNames, configMapName };
    this.jobNames = outputs.jobNames;
    this.configMapName = outputs.configMapName;
    this.registerOutputs(outputs);
  }
}
