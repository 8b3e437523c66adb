import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { isOutput } from "../src/cluster/program-target.ts";
import { ownDatabaseSecret, restorePointsClaim } from "../src/manifests/app.ts";
import { type GateOptions, gateTemplate } from "../src/manifests/gate.ts";
import { jobStartSeconds, jobWaitSeconds, type MigrationInputs, migration } from "../src/manifests/migrate-job.ts";
import type { ContainerConfig } from "../src/manifests/pod-config.ts";
import { restorePointsClaimSpec } from "../src/manifests/restore-points.ts";
import { databaseUrlVariable } from "../src/manifests/runner.ts";
import { runnerConfigMapData, runnerConfigMapName } from "../src/manifests/runner-files.ts";
import { childOptions, objectMetadata, withFormerType, withoutAwait } from "./children.ts";
import { clusterInputs, waitCommand } from "./commands.ts";
import { migrationDescriptor } from "./descriptors.ts";
import { jobMetadata, runnerObjects } from "./migration-objects.ts";
import type { MigrationPlan } from "./migration-plan.ts";
import { validatePods } from "./pod-config.ts";

/** Arguments of {@link MigrationJob}. */
export interface MigrationJobArgs {
  /** Plan of the migration, from `planMigration`. */
  readonly plan: MigrationPlan;
}

/** Spec of a workload: of a Deployment, StatefulSet, DaemonSet, or anything else with a pod template. */
interface WorkloadSpec {
  template: pulumi.Input<PodTemplate>;
}

type PodTemplate = k8s.types.input.core.v1.PodTemplateSpec;

/** Whether all parts of a spec that the gate reads are plain values. */
function hasPlainParts(spec: pulumi.Input<WorkloadSpec>): boolean {
  const parts = (value: unknown, ...keys: string[]): unknown[] => {
    const isObject = typeof value === "object" && value !== null && !isOutput(value);
    return isObject ? keys.map((key) => Reflect.get(value, key)) : [];
  };
  const items = (list: unknown): unknown[] => (Array.isArray(list) ? list : []);
  const [template] = parts(spec, "template");
  const [metadata, pod] = parts(template, "metadata", "spec");
  const podLists = parts(pod, "containers", "initContainers", "volumes");
  const containerLists = parts(items(podLists[0])[0], "env", "envFrom", "volumeMounts");
  const lists = [...podLists, ...containerLists];
  const all = lists.flatMap(items);
  const keys = all.flatMap((item) => parts(item, "name", "mountPath", "restartPolicy"));
  const maps = parts(metadata, "labels", "annotations");
  return ![spec, template, metadata, pod, ...maps, ...lists, ...all, ...keys].some(isOutput);
}

/**
 * Migrates a database with a Job. Resources that depend on it are created only after the Job has completed.
 *
 * @example
 * ```ts
 * const plan = await planMigration({ name: "notes", appFolder: "../app", image, database, namespace: "notes" });
 * const migration = new MigrationJob("notes", { plan }, { provider });
 * const spec = migration.gate({ selector, template });
 * new k8s.apps.v1.Deployment("web", { metadata, spec }, { provider, dependsOn: migration });
 * ```
 */
export class MigrationJob extends pulumi.ComponentResource {
  static readonly token = "pulumi-alembic:index:MigrationJob";
  /** Plan that the Job carries out. */
  readonly plan: MigrationPlan;
  /** Name of the Job, with a hash of its work. In a preview, it is not known before its image is. */
  readonly jobName: pulumi.Output<string>;
  /** Name of the ConfigMap with the runner. */
  readonly configMapName: string;
  /** Variable `DATABASE_URL` for the containers of the app. */
  readonly databaseUrl: k8s.types.input.core.v1.EnvVar;
  readonly #secretVersion: pulumi.Input<string> | undefined;

  constructor(name: string, { plan }: MigrationJobArgs, options?: pulumi.ComponentResourceOptions) {
    super(MigrationJob.token, name, {}, withFormerType(MigrationJob.token, options));
    if (isOutput(plan) || plan === undefined)
      throw new pulumi.ResourceError("invalid plan: must be the result of await planMigration(…)", this, true);
    const { options: own, namespace, inputs, databaseUrl } = plan;
    const { app, tenant, restorePointImage } = own;
    if (!isOutput(inputs)) validatePods(this, "migration", { ...own, ...(inputs as MigrationInputs), app });

    const resolved = pulumi.output(inputs) as pulumi.Output<MigrationInputs>;
    const job = resolved.apply((known) => {
      const { jobName, jobSpec } = migration({ ...own, ...known });
      return { name: jobName(plan.attempt), spec: jobSpec(plan.jobPlan), secretName: known.secretName };
    });
    const files = runnerConfigMapData(own);
    const configMapName = runnerConfigMapName(files, app.migrateJob);

    const pod = isOutput(inputs) ? undefined : (inputs as MigrationInputs).pod;
    const objects = { namespace, app, configMapName, files, pod };
    migrationDescriptor(name, plan, resolved, childOptions(this, options));
    const dependencies = runnerObjects(name, objects, childOptions(this, options));
    let { secretVersion } = plan;
    if (databaseUrl !== undefined) {
      const data = { DATABASE_URL: pulumi.output(databaseUrl).apply((url) => Buffer.from(url).toString("base64")) };
      const secret = new k8s.core.v1.Secret(
        `${name}-database`,
        { metadata: objectMetadata(ownDatabaseSecret(app), namespace, app.migrateJob, app), data },
        childOptions(this, options),
      );
      secretVersion = secret.metadata.resourceVersion;
      dependencies.push(secret);
    }
    if (restorePointImage !== undefined) {
      const { restorePointStorage = "1Gi" } = plan;
      const metadata = withoutAwait(objectMetadata(restorePointsClaim(app), namespace, app.migrateJob, app));
      const claim = new k8s.core.v1.PersistentVolumeClaim(
        `${name}-restore-points`,
        { metadata, spec: restorePointsClaimSpec(restorePointStorage) },
        childOptions(this, options, { retainOnDelete: true }),
      );
      dependencies.push(claim);
    }
    const declared = new k8s.batch.v1.Job(
      `${name}-job`,
      { metadata: jobMetadata(job.name, namespace, app, tenant), spec: job.spec },
      childOptions(this, options, { dependsOn: dependencies }),
    );
    const limits = { timeoutSeconds: jobWaitSeconds(own), startTimeoutSeconds: jobStartSeconds(own) };
    const workload = { workload: app.migrateJob, account: app.accounts.migrations };
    const target = { ...clusterInputs(plan), namespace, name: job.name, ...limits, ...workload };
    waitCommand(`${name}-completion`, "job", target, declared.metadata.uid, { parent: this, dependsOn: declared });

    this.plan = plan;
    this.configMapName = configMapName;
    this.databaseUrl = databaseUrlVariable(job.secretName);
    this.#secretVersion = secretVersion;
    const outputs = { jobName: job.name, configMapName };
    this.jobName = outputs.jobName;
    this.registerOutputs(outputs);
  }

  /**
   * Returns a workload's spec with the gate: an init container that ends once the database has the schema of the app's
   * code, or a later one with which the run record says that this code still works.
   *
   * @param spec - Spec with a pod template.
   * @param gate - Configuration of the init container (default: the variables and mounts of the pod's first container).
   * @throws {Error} If the spec has no pod template, the pod has a container or a volume of a name that the gate needs, or
   *   the configuration would replace what the gate's safety depends on.
   */
  gate<Spec extends WorkloadSpec>(spec: pulumi.Input<Spec>, gate?: ContainerConfig): pulumi.Input<Spec> {
    const { plan, configMapName } = this;
    const secretVersion = this.#secretVersion;
    const withGate = (plain: Spec, { image, secretName, pod }: MigrationInputs): Spec => {
      const { app } = plan.options;
      const own = { app: { ...app, userId: pod?.userId ?? app.userId }, image, secretName, configMapName };
      const options: GateOptions = { ...plan.options, ...own, head: plan.head, secretVersion, gate };
      return { ...plain, template: gateTemplate(plain?.template as PodTemplate | undefined, options) };
    };
    // Otherwise, one unknown value would hide the whole spec in previews.
    if (hasPlainParts(spec) && !isOutput(plan.inputs)) return withGate(spec as Spec, plan.inputs as MigrationInputs);
    const known = pulumi.all([spec, plan.inputs]) as unknown as pulumi.Output<[Spec, MigrationInputs]>;
    return known.apply(([plain, inputs]) => withGate(plain, inputs)) as unknown as pulumi.Input<Spec>;
  }
}
