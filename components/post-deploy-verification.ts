import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { CustomCheck } from "../src/checks/custom.ts";
import type { CheckName } from "../src/checks/names.ts";
import { type CheckResults, type DeclaredRelease, describeErrors } from "../src/checks/result.ts";
import { secondVerification, verificationErrors } from "../src/checks/verification-errors.ts";
import { isOutput } from "../src/cluster/program-target.ts";
import { integer, shapeErrors } from "../src/lockfile/shape.ts";
import { approvedIrreversible } from "../src/plan/approvals.ts";
import { declareRelease, type ReleaseRecord, recordVerified } from "../src/promotion/record.ts";
import { childOptions, withFormerType } from "./children.ts";
import { clusterInputs, waitCommand } from "./commands.ts";
import { verificationDescriptor } from "./descriptors.ts";
import type { MigrationJob } from "./migration-job.ts";
import { verificationCommand } from "./verification-command.ts";

/** Deployment whose rollout another component has waited for. */
export interface RolledOut {
  /** Name of the Deployment. */
  readonly deploymentName: string;
  /** Value that changes with every rollout. */
  readonly rollout: pulumi.Input<string>;
}

/** Arguments of {@link PostDeployVerification}. */
export interface PostDeployVerificationArgs {
  /** Migration whose release the cluster must run. */
  readonly migration: Pick<MigrationJob, "plan" | "jobName" | "configMapName">;
  /**
   * Deployments of the app, as resources or by name. Each rollout is awaited, and the checks run again after it; for a
   * Deployment given by name, only if it is also in `dependsOn` or a trigger changes. The database is queried from a pod of
   * the first one.
   */
  readonly workloads: readonly (pulumi.Input<string> | k8s.apps.v1.Deployment | RolledOut)[];
  /** Checks to run: names of built-in ones, such as those of `generalChecks`, and the app's own. */
  readonly checks: readonly (CheckName | CustomCheck)[];
  /**
   * Image of the workloads, for the release record.
   *
   * @defaultValue that of the migration
   */
  readonly image?: pulumi.Input<string> | undefined;
  /**
   * Seconds that the rollout of a workload may take.
   *
   * @defaultValue 600
   */
  readonly rolloutTimeoutSeconds?: number | undefined;
  /**
   * Age of the oldest log lines that are checked, in seconds.
   *
   * @defaultValue 300
   */
  readonly recentSeconds?: number | undefined;
  /**
   * Values that change with rollouts, in addition to those of the Deployments in {@link workloads} and `dependsOn`.
   *
   * @defaultValue none
   */
  readonly triggers?: readonly pulumi.Input<string | number>[] | undefined;
}

/**
 * Verifies a deployed release with its checks, and fails the update if one fails. One command runs them, because they share
 * their queries; a migration has one verification, of all its workloads. The state doesn't record a failed run, so the next update runs the checks again; a preview runs none.
 *
 * @example
 * ```ts
 * const checks = [...generalChecks, http("/healthz")];
 * const verification = new PostDeployVerification("notes", { migration, workloads: [web, worker], checks });
 * export const releases = verification.releases;
 * ```
 */
export class PostDeployVerification extends pulumi.ComponentResource {
  static readonly token = "pulumi-alembic:index:PostDeployVerification";
  /** Results of the checks, by name; `undefined` if they have never run. */
  readonly results: pulumi.Output<CheckResults | undefined>;
  /** Release for which the checks last ran and passed; an update of other resources doesn't change it. */
  readonly release: pulumi.Output<DeclaredRelease | undefined>;
  /**
   * Releases that were verified in this stack, the newest first, for stacks that promote from it. Only the checks `revision`
   * and `pods` prove that a release runs: without both, none is recorded.
   */
  readonly releases: pulumi.Output<readonly ReleaseRecord[]>;

  constructor(name: string, args: PostDeployVerificationArgs, options?: pulumi.ComponentResourceOptions) {
    super(PostDeployVerification.token, name, {}, withFormerType(PostDeployVerification.token, options));
    const { migration, checks, recentSeconds, rolloutTimeoutSeconds = 600, triggers = [] } = args;
    const { plan } = migration;
    const cluster = { ...clusterInputs(plan), namespace: plan.namespace };
    const dependencies = [options?.dependsOn].flat().filter((resource) => k8s.apps.v1.Deployment.isInstance(resource));
    const own = childOptions(this, options);

    validate(this, args);
    const rollouts = [...triggers.map((value) => pulumi.interpolate`${value}`), ...dependencies.map(rolloutOf)];
    const waits: pulumi.Resource[] = [];
    const waitFor = (position: number, workload: pulumi.Input<string>, deployment?: k8s.apps.v1.Deployment) => {
      const target = { ...cluster, name: workload, timeoutSeconds: rolloutTimeoutSeconds };
      const trigger = deployment ? rolloutOf(deployment) : pulumi.all(rollouts).apply((all) => all.join());
      const after = deployment ? { ...own, dependsOn: deployment } : own;
      waits.push(waitCommand(`${name}-rollout-${position}`, "rollout", target, trigger, after));
    };
    const workloads = args.workloads.map((workload, index) => {
      if (!isName(workload) && "rollout" in workload) {
        rollouts.push(pulumi.output(workload.rollout));
        return workload.deploymentName;
      }
      const deployment = isName(workload) ? undefined : workload;
      if (deployment !== undefined) rollouts.push(rolloutOf(deployment));
      const deploymentName = isName(workload) ? workload : workload.metadata.name;
      waitFor(index + 1, deploymentName, deployment);
      return deploymentName;
    });
    const release = pulumi
      .all([plan.inputs, migration.jobName, args.image])
      .apply(([{ image: own }, jobName, image]) => {
        const { environment, head, options } = plan;
        const parts = { ...options, environment, head, image: image ?? own, migrationImage: own };
        return declareRelease(parts, { jobName, configMapName: migration.configMapName });
      });
    // Before the checks, so that their commands can be run again if one fails. In the cluster of the migration's objects.
    const isResource = pulumi.Resource.isInstance(migration);
    const provider = isResource ? migration.getProvider("kubernetes:core/v1:ConfigMap") : undefined;
    verificationDescriptor(name, plan, { checks, recentSeconds, workloads, release }, { parent: this, provider });
    const { toleratedRevisions = [], applicationRole, driftIgnore } = plan.options;
    const target = {
      ...cluster,
      head: plan.head,
      toleratedRevisions,
      owned: plan.ownsPostgres ?? false,
      irreversible: approvedIrreversible(plan.approvals),
      applicationRole: applicationRole?.name,
      ...(driftIgnore && { driftIgnore }),
      recentSeconds,
      lockFile: plan.lockFile,
      workloads,
      checks,
      release,
    };
    const verification = verificationCommand(
      `${name}-checks`,
      target,
      [migration.jobName, ...rollouts],
      waits.length > 0 ? { ...own, dependsOn: waits } : own,
    );
    const outputs = {
      results: verification.apply((verified) => verified?.results),
      release: verification.apply((verified) => verified?.release),
      releases: verification.apply((verified) => recordVerified(plan.records, verified?.release, verified?.results)),
    };
    this.results = outputs.results;
    this.release = outputs.release;
    this.releases = outputs.releases;
    this.registerOutputs(outputs);
  }
}

/** Plans of the migrations that have a verification. */
const verified = new WeakSet<object>();

/** @throws {pulumi.ResourceError} If an argument is invalid, before anything is declared; the message lists all errors. */
function validate(component: pulumi.Resource, args: PostDeployVerificationArgs): void {
  const { workloads, checks, rolloutTimeoutSeconds, recentSeconds } = args;
  const nameOf = (workload: unknown) => {
    if (isOutput(workload) || k8s.apps.v1.Deployment.isInstance(workload)) return "known-later";
    return pulumi.Resource.isInstance(workload) ? "another resource than a Deployment" : workload;
  };
  const isRolledOut = (workload: unknown) => typeof workload === "object" && workload !== null && "rollout" in workload;
  const named = Array.isArray(workloads)
    ? workloads.map((workload: unknown) => (isRolledOut(workload) ? "known-later" : nameOf(workload)))
    : workloads;
  const errors = [...verificationErrors({ workloads: named, checks })];
  for (const [key, value] of Object.entries({ rolloutTimeoutSeconds, recentSeconds })) {
    if (value !== undefined) errors.push(...shapeErrors(value, integer(1), key));
  }
  // The commands find one verification of an app: the second would overwrite its ConfigMap.
  if (verified.has(args.migration.plan)) errors.push(secondVerification);
  if (errors.length > 0) throw new pulumi.ResourceError(describeErrors(errors), component, true);
  verified.add(args.migration.plan);
}

/** Whether a workload is given by its name, which may be an output. */
function isName(workload: pulumi.Input<string> | object): workload is pulumi.Input<string> {
  return typeof workload === "string" || isOutput(workload);
}

/** Returns a value that changes with a Deployment's spec. */
function rolloutOf({ metadata }: k8s.apps.v1.Deployment): pulumi.Output<string> {
  return pulumi.interpolate`${metadata.uid}/${metadata.generation}`;
}
