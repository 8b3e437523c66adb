import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { withFormerType } from "../../../components/children.ts";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationJob } from "../../../components/migration-job.ts";
import type { MigrationPlan, MigrationPlanArgs } from "../../../components/migration-plan.ts";
import { tlsModes } from "../../manifests/database-tls.ts";
import { podSecurityLevels } from "../../manifests/security.ts";
import { parseApprovals } from "../../plan/approvals.ts";
import { environments } from "../../settings/settings.ts";
import { type AnyJson, argumentError, type CommonArgs, inputErrors, oneOfErrors, timeoutsOf } from "./arguments.ts";

/** Approval of a finding. */
export interface Approval {
  /** Revision that the finding concerns. */
  revision: string;
  /** Name of the finding's rule. */
  rule: string;
  /** Why it is safe, for later readers. */
  reason?: string;
}

/** Dump that precedes each migration. */
export interface RestorePoint {
  /** PostgreSQL image whose pg_dump is not older than the server. */
  image: string;
  /** Size of the dumps' volume as a Kubernetes quantity. Defaults to 1Gi. */
  storage?: string;
}

/** Limits of the migrations. */
export interface Policy {
  /** Purpose of the stack: development, staging, or production, which requires planHash. Defaults to development. */
  environment?: string;
  /** Approved findings. */
  approvals?: Approval[];
  /** Hash of the only plan that may run, as a preview prints it. */
  planHash?: string;
  /** Revision to migrate the database to. Defaults to the lockfile's head. */
  targetRevision?: string;
  /** Whether revisions above the target may be downgraded. Defaults to false. */
  allowDowngrade?: boolean;
  /** Revisions that the lockfile lacks and the app's code can run on. */
  toleratedRevisions?: string[];
  /** Dump that precedes each migration. Defaults to none. */
  restorePoint?: RestorePoint;
  /**
   * Stack in which this release must have succeeded: its output `releases` is that of its Verification or, for several apps,
   * an object with that of each, by the name of the app.
   */
  promotedFrom?: string;
  /** Objects of the database whose differences from the rehearsed schema don't count: names, or patterns with `*`. */
  driftIgnore?: string[];
}

/** Names in the cluster, each different from those of other apps in the namespace. */
export interface Names {
  /** Value of the label app.kubernetes.io/part-of. Defaults to the app's name. */
  partOf?: string;
  /** Prefix of the names of Jobs, at most 34 characters. */
  migrateJob?: string;
  /** Service account of the Jobs. */
  serviceAccount?: string;
  /** User and group ID of the pods. */
  userId?: number;
}

/** Database role of the app, if it isn't the one that migrates. */
export interface ApplicationRole {
  /** Name of the role. */
  name: string;
  /** Secret with its DATABASE_URL. */
  secretName: string;
  /** Whether the migration creates the role if it doesn't exist. Defaults to false. */
  create?: boolean;
}

/** TLS settings of database sessions. */
export interface Tls {
  /** Mode of libpq: disable, require, or verify-full. */
  mode: string;
  /** Secret whose ca.crt verifies the server's certificate. */
  caSecretName?: string;
}

/** Arguments of {@link Migration}. */
export interface MigrationArgs extends CommonArgs {
  /** Image that contains the app and its chain of revisions. It may be built in the same program. */
  image: pulumi.Input<string>;
  /** URL of the database, for which a Secret is declared. Either this or secretName is required. */
  databaseUrl?: pulumi.Input<string>;
  /** Existing Secret in the namespace with the database's DATABASE_URL. */
  secretName?: pulumi.Input<string>;
  /** Value that changes with the content of an existing Secret: gated pods are then replaced. */
  secretVersion?: pulumi.Input<string>;
  /** Limits of the migrations. Defaults to upgrades whose findings need no approval. */
  policy?: Policy;
  /** Configuration of the Job's pod: env, envFrom, resources, volumes, and so on. */
  pod?: AnyJson;
  /** Configuration of the gate's container, such as the variables that the app's env.py requires. */
  gateContainer?: AnyJson;
  /** Names in the cluster. Defaults to names that start with the app's. */
  names?: Names;
  /** Deployments without a gate, in whose pods the plan can read the database's revision. */
  workloads?: string[];
  /** Database role of the app. Defaults to the role that migrates. */
  applicationRole?: ApplicationRole;
  /** TLS settings of database sessions. Defaults to unverified TLS if the server offers it. */
  tls?: Tls;
  /** Level of the Pod Security Standards that the pod must meet. Defaults to restricted. */
  podSecurityStandard?: string;
}

/** Returns the errors in arguments that only this component has. */
export function migrationErrors(args: MigrationArgs): pulumi.InputPropertyErrorDetails[] {
  const { image, databaseUrl, secretName, policy = {}, tls, podSecurityStandard } = args;
  const errors = inputErrors("image", image);
  if (databaseUrl === undefined) errors.push(...inputErrors("secretName", secretName));
  else errors.push(...inputErrors("databaseUrl", databaseUrl));
  if (databaseUrl !== undefined && secretName !== undefined)
    errors.push({ propertyPath: "secretName", reason: "conflicts with databaseUrl: pass only one of them" });
  errors.push(...oneOfErrors("policy.environment", policy.environment, environments));
  errors.push(...oneOfErrors("podSecurityStandard", podSecurityStandard, podSecurityLevels));
  if (tls !== undefined) errors.push(...oneOfErrors("tls.mode", tls.mode, tlsModes));
  for (const { path, given, allowed } of parseApprovals(policy.approvals).errors)
    errors.push(argumentError(`policy.${path}`, given, allowed));
  return errors;
}

/** Returns the arguments of the migration's plan. The values that the schema has as strings are valid. */
export function planArguments(args: MigrationArgs): MigrationPlanArgs {
  const { name, namespace, context, kubeconfig, image, imagePullPolicy, appFolder, pod, workloads } = args;
  const { databaseUrl, secretName = "", secretVersion: version, policy, applicationRole, tls } = args;
  const { serviceAccount, ...names } = args.names ?? {};
  const accounts = serviceAccount === undefined ? {} : { accounts: { migrations: serviceAccount } };
  return {
    name,
    appFolder,
    image,
    imagePullPolicy,
    namespace,
    pod,
    workloads,
    cluster: { context, kubeconfig },
    database: databaseUrl ?? { secretName, ...(version !== undefined && { version }) },
    timeouts: timeoutsOf(args),
    policy: policy as MigrationPlanArgs["policy"],
    names: { ...names, ...accounts },
    applicationRole: applicationRole && { create: false, ...applicationRole },
    tls: tls as MigrationPlanArgs["tls"],
    podSecurityStandard: args.podSecurityStandard as MigrationPlanArgs["podSecurityStandard"],
  };
}

/** Gate for pod templates, to merge. */
export interface Gate {
  /** Labels of the pods, by which the next plan finds them. */
  labels: { [name: string]: string };
  /** Annotations of the pods, which change with the database's Secret. */
  annotations: { [name: string]: string };
  /** Init containers: the gate. */
  initContainers: AnyJson[];
  /** Volumes that the gate mounts. */
  volumes: AnyJson[];
}

/** Pod template with the gate. */
interface GatedTemplate {
  readonly metadata: Pick<Gate, "labels" | "annotations">;
  readonly spec: Pick<Gate, "initContainers" | "volumes">;
}

/** Migration, as a verification needs to know it: plain JSON. */
export interface MigrationSummary
  extends Pick<MigrationPlan, "context" | "head" | "environment" | "approvals" | "records"> {
  readonly namespace: string;
  readonly appFolder: string;
  readonly options: Omit<MigrationPlan["options"], "lock" | "runnerFiles">;
  readonly inputs: MigrationPlan["inputs"];
  readonly jobName: pulumi.Input<string>;
  readonly configMapName: string;
}

function summarize(plan: MigrationPlan, { jobName, configMapName }: MigrationJob, args: MigrationArgs) {
  const { context, head, environment, approvals, records, inputs } = plan;
  const { lock: _, runnerFiles: __, ...options } = plan.options;
  const { namespace, appFolder } = args;
  const common = { context, namespace, appFolder, head, environment, approvals, records };
  const summary: MigrationSummary = { ...common, options, inputs, jobName, configMapName };
  // Without what is undefined, which outputs can't be.
  return { ...JSON.parse(JSON.stringify({ ...common, options })), inputs, jobName, configMapName } as typeof summary;
}

/**
 * Migrates a database to the head of its app's chain with a Job, as planned: the preview shows the pending revisions with
 * their SQL. Resources that depend on it are created after that.
 *
 * @example
 * ```yaml
 * migration:
 *   type: pulumi-alembic:index:Migration
 *   properties:
 *     name: notes
 *     namespace: notes
 *     image: registry.example/notes:1.0
 *     appFolder: app
 *     databaseUrl: ${databaseUrl}
 * ```
 */
export class Migration extends pulumi.ComponentResource {
  /** Name of the Job. */
  readonly jobName: pulumi.Output<string>;
  /** Gate for pod templates, to merge: initContainers and volumes of the spec, labels and annotations of the metadata. */
  readonly gate: pulumi.Output<Gate>;
  /** Variable DATABASE_URL for the containers of the app. */
  readonly databaseVariable: pulumi.Output<AnyJson>;
  /** The migration, as a Verification needs to know it. */
  readonly summary: pulumi.Output<AnyJson>;

  constructor(name: string, args: MigrationArgs, options?: pulumi.ComponentResourceOptions, plan?: MigrationPlan) {
    super("pulumi-alembic:index:Migration", name, {}, withFormerType("pulumi-alembic:index:Migration", options));
    if (plan === undefined) throw new pulumi.ResourceError("no plan", this);
    const { context, kubeconfig, namespace } = args;
    const provider = clusterProvider(`${name}-cluster`, { context, kubeconfig, namespace }, { parent: this });
    const job = new MigrationJob(name, { plan }, { parent: this, provider, dependsOn: options?.dependsOn });
    const template: k8s.types.input.core.v1.PodTemplateSpec = { metadata: {}, spec: { containers: [] } };
    const gated = pulumi.output(job.gate({ template }, args.gateContainer)).template as pulumi.Output<GatedTemplate>;
    const outputs = {
      jobName: job.jobName,
      gate: gated.apply(({ metadata: { labels, annotations }, spec: { initContainers, volumes } }) => {
        return { labels, annotations, initContainers, volumes };
      }),
      databaseVariable: pulumi.output(job.databaseUrl),
      summary: pulumi.output(summarize(plan, job, args)),
    };
    this.jobName = outputs.jobName;
    this.gate = outputs.gate;
    this.databaseVariable = outputs.databaseVariable;
    this.summary = outputs.summary;
    this.registerOutputs(outputs);
  }

  /** Outputs that are the state of the component. */
  get state() {
    const { jobName, gate, databaseVariable, summary } = this;
    return { jobName, gate, databaseVariable, summary };
  }
}
