import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import type { MigratedApp } from "../src/manifests/app.ts";
import type { MigrationInputs, MigrationOptions } from "../src/manifests/migrate-job.ts";
import type { PodConfig } from "../src/manifests/pod-config.ts";
import type { Timeouts } from "../src/manifests/timeouts.ts";
import type { Approval } from "../src/plan/approvals.ts";
import type { Plan } from "../src/plan/plan.ts";
import type { ReleaseRecord } from "../src/promotion/record.ts";
import type { Environment } from "../src/settings/settings.ts";

/** Object without some of its values. */
type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** Limits of a program's migrations. */
export interface MigrationPolicy {
  /**
   * Purpose of the stack. Production requires {@link planHash}; releases are promoted from staging.
   *
   * @defaultValue "development"
   */
  readonly environment?: Environment | undefined;
  /**
   * Approved findings: revision, rule, and reason.
   *
   * @defaultValue none
   */
  readonly approvals?: readonly Approval[] | undefined;
  /**
   * Hash of the only plan that may run, as a preview prints it.
   *
   * @defaultValue any plan, except in production
   */
  readonly planHash?: string | undefined;
  /**
   * Revision to migrate the database to.
   *
   * @defaultValue the lockfile's head
   */
  readonly targetRevision?: string | undefined;
  /**
   * Whether revisions above {@link targetRevision} may be downgraded.
   *
   * @defaultValue false
   */
  readonly allowDowngrade?: boolean | undefined;
  /**
   * Revisions that the lockfile lacks and the app's code can run on.
   *
   * @defaultValue those that the run record names
   */
  readonly toleratedRevisions?: readonly string[] | undefined;
  /**
   * Dump before each migration: a PostgreSQL image whose `pg_dump` is not older than the server, and the size of the dumps'
   * volume as a Kubernetes quantity (default: 1Gi).
   *
   * @defaultValue no dump
   */
  readonly restorePoint?: { readonly image: string; readonly storage?: string | undefined } | undefined;
  /**
   * Stack in which this release must have succeeded: its output `releases` is that of its {@link PostDeployVerification} or,
   * for several apps, an object with that of each, by the name of the app.
   *
   * @defaultValue none
   */
  readonly promotedFrom?: string | undefined;
  /**
   * Objects of the database whose differences from the rehearsed schema don't count: names, or patterns with `*`.
   *
   * @defaultValue none
   */
  readonly driftIgnore?: readonly string[] | undefined;
}

/** Secret of the namespace with the database's URL. */
export interface DatabaseSecretReference {
  /** Name of the Secret; its key `DATABASE_URL` is the URL of the role that migrates. */
  readonly secretName: pulumi.Input<string>;
  /**
   * Value that changes with the Secret's content, such as its `metadata.resourceVersion`: gated pods are then replaced.
   *
   * @defaultValue pods keep the content that they started with
   */
  readonly version?: pulumi.Input<string> | undefined;
}

/** Arguments of {@link planMigration}. */
export interface MigrationPlanArgs extends Pick<MigrationOptions, "tls" | "applicationRole" | "podSecurityStandard"> {
  /** Name of the app, at most 23 characters, different from that of other apps of the namespace. */
  readonly name: string;
  /** Folder of the app with `migrations.lock.json`, relative to the program's. */
  readonly appFolder: string;
  /** Image that contains the app and its chain of revisions. It may be built in the same program. */
  readonly image: pulumi.Input<string>;
  /**
   * Image pull policy: `Always`, `IfNotPresent`, or `Never`.
   *
   * @defaultValue "IfNotPresent"
   */
  readonly imagePullPolicy?: string | undefined;
  /** URL of the database, for which the Secret `<name>-database` is declared; or an existing Secret with it. */
  readonly database: pulumi.Input<string> | DatabaseSecretReference;
  /** Existing Kubernetes namespace. */
  readonly namespace: string;
  /**
   * How to reach the cluster: a context, or the kubeconfig of a cluster, which may be created in the same program.
   *
   * @defaultValue the cluster that kubectl connects to
   */
  readonly cluster?: ClusterArgs | undefined;
  /**
   * Limits of the migration.
   *
   * @defaultValue upgrades whose findings need no approval
   */
  readonly policy?: MigrationPolicy | undefined;
  /**
   * Timeouts in seconds.
   *
   * @defaultValue 5 for table locks, 300 for a statement, 600 for a migration, 60 more for the wait
   */
  readonly timeouts?: Optional<Timeouts> | undefined;
  /**
   * Configuration of the Job's pod, outputs allowed. The Job's name depends on it.
   *
   * @defaultValue no additional configuration
   */
  readonly pod?: PodConfig | undefined;
  /**
   * Names in the cluster.
   *
   * @defaultValue `<name>-db-migrate` for Jobs, `<name>-migrations` for their service account
   */
  readonly names?: Optional<MigratedApp> | undefined;
  /**
   * Deployments without a gate, in whose pods the plan can read the database's revision: those that existed before the gate,
   * or that another tool deploys.
   *
   * @defaultValue none
   */
  readonly workloads?: readonly string[] | undefined;
}

/** Plan of a migration: what {@link MigrationJob} declares. */
export interface MigrationPlan extends ClusterArgs {
  readonly namespace: pulumi.Input<string>;
  /** Options of the migration, without its inputs. */
  readonly options: Omit<MigrationOptions, keyof MigrationInputs>;
  /** Inputs of the migration; in a preview, they may be outputs that are not known. */
  readonly inputs: pulumi.Input<MigrationInputs>;
  /** Revision of the database after the update. */
  readonly head: string;
  /** Number of the attempt at the same work, from 1. */
  readonly attempt: number;
  /** Plan for the runner as JSON: it refuses to change another database, or to start at another revision. */
  readonly jobPlan?: string | undefined;
  /**
   * URL of the database, for which {@link MigrationJob} declares the Secret.
   *
   * @defaultValue the Secret exists
   */
  readonly databaseUrl?: pulumi.Input<string> | undefined;
  /** Value that changes with the content of an existing Secret. */
  readonly secretVersion?: pulumi.Input<string> | undefined;
  /** Size of the volume for restore points. */
  readonly restorePointStorage?: string | undefined;
  /** Lockfile, relative to the program's folder. */
  readonly lockFile: string;
  readonly environment: Environment;
  /** Approved findings. */
  readonly approvals: readonly Approval[];
  /**
   * Whether the namespace's Deployment `postgres` is the database.
   *
   * @defaultValue false
   */
  readonly ownsPostgres?: boolean | undefined;
  /** Release records of this stack so far. */
  readonly records: readonly ReleaseRecord[];
}

/** Plan with its report: state, pending revisions with their SQL, findings, and hash. */
export interface PlannedMigration extends MigrationPlan {
  readonly report: Plan;
}
