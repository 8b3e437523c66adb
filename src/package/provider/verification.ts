import * as pulumi from "@pulumi/pulumi";
import { withFormerType } from "../../../components/children.ts";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { PostDeployVerification } from "../../../components/post-deploy-verification.ts";
import type { CheckTarget } from "../../checks/result.ts";
import { secondVerification, verificationErrors } from "../../checks/verification-errors.ts";
import { loadChain } from "../../preflight/release.ts";
import { type AnyJson, argumentError } from "./arguments.ts";
import type { MigrationSummary } from "./migration.ts";

/** Arguments of {@link Verification}. */
export interface VerificationArgs {
  /** Output `summary` of the Migration whose release the cluster must run. */
  migration: AnyJson;
  /** Content of a kubeconfig. Defaults to the one that kubectl finds or, in a pod without one, the pod's service account. */
  kubeconfig?: pulumi.Input<string>;
  /** Names of the app's Deployments. The database is queried from the first one. */
  workloads: pulumi.Input<string>[];
  /** Checks to run: names of built-in ones, and objects with the kind http, sql, or command. */
  checks: AnyJson[];
  /** Image of the workloads. Defaults to that of the migration. */
  image?: pulumi.Input<string>;
  /** Seconds that the rollout of a workload may take. Defaults to 600. */
  rolloutTimeoutSeconds?: number;
  /** Age of the oldest log lines that are checked, in seconds. Defaults to 300. */
  recentSeconds?: number;
  /** Values that change with each rollout, such as the generations of the Deployments: the checks then run again. */
  triggers?: AnyJson[];
}

/**
 * Validates the arguments, as far as they are known.
 *
 * @throws {pulumi.InputPropertiesError} If arguments are invalid; it lists all of them.
 */
export function validateVerification({ migration, workloads, checks }: VerificationArgs): void {
  const errors: pulumi.InputPropertyErrorDetails[] = [];
  if (migration === undefined) errors.push(argumentError("migration", undefined, "the summary of a Migration"));
  const named = Array.isArray(workloads)
    ? workloads.map((name) => (typeof name === "string" ? name : "known-later"))
    : workloads;
  for (const reason of verificationErrors({ workloads: named, checks }))
    errors.push({ propertyPath: reason.includes("workloads") ? "workloads" : "checks", reason });
  if (errors.length > 0) throw new pulumi.InputPropertiesError({ message: "invalid arguments", errors });
}

/** Names of the components that verify this update's migrations, by the migration. */
const verifications = new Map<string, string>();

/** @throws {pulumi.InputPropertiesError} If another component verifies the migration: its descriptor would be overwritten. */
function requireOnly(name: string, { context, namespace, options }: MigrationSummary): void {
  const key = JSON.stringify([context, namespace, options.app.partOf]);
  const first = verifications.get(key) ?? name;
  verifications.set(key, first);
  if (first === name) return;
  const errors = [{ propertyPath: "migration", reason: `${secondVerification} (${first})` }];
  throw new pulumi.InputPropertiesError({ message: "invalid arguments", errors });
}

/** Outputs of {@link Verification}. */
interface Outputs {
  readonly results: pulumi.Output<unknown>;
  readonly releases: pulumi.Output<unknown>;
}

/**
 * Verifies a deployed release with its checks, and fails the update if one fails.
 *
 * @example
 * ```yaml
 * verification:
 *   type: pulumi-alembic:index:Verification
 *   properties:
 *     migration: ${migration.summary}
 *     workloads: ["${web.metadata.name}"]
 *     checks: [revision, pods, { kind: http, path: /healthz }]
 *     triggers: ["${web.metadata.generation}"]
 *   options: { dependsOn: ["${web}"] }
 * ```
 */
export class Verification extends pulumi.ComponentResource {
  /** Results of the checks, by name. */
  readonly results: pulumi.Output<AnyJson>;
  /** Releases that were verified in this stack, the newest first, for stacks that promote from it. */
  readonly releases: pulumi.Output<AnyJson>;

  constructor(
    name: string,
    args: VerificationArgs,
    options?: pulumi.ComponentResourceOptions,
    summary?: MigrationSummary,
  ) {
    super("pulumi-alembic:index:Verification", name, {}, withFormerType("pulumi-alembic:index:Verification", options));
    const outputs = summary === undefined ? unknownOutputs() : this.#verify(name, args, summary, options);
    this.results = outputs.results;
    this.releases = outputs.releases;
    this.registerOutputs({ ...outputs });
  }

  #verify(
    name: string,
    {
      migration,
      kubeconfig,
      workloads,
      checks,
      image,
      rolloutTimeoutSeconds,
      recentSeconds,
      triggers,
    }: VerificationArgs,
    summary: MigrationSummary,
    options?: pulumi.ComponentResourceOptions,
  ): Outputs {
    requireOnly(name, summary);
    const { namespace, context, appFolder, configMapName, options: own, ...others } = summary;
    const { lock, runnerFiles } = loadChain(appFolder);
    const lockFile = `${appFolder}/migrations.lock.json`;
    const cluster = { context, kubeconfig, namespace };
    const plan = { ...others, ...cluster, lockFile, attempt: 1, options: { ...own, lock, runnerFiles } };
    // As an output, so that the checks depend on the migration.
    const jobName = pulumi.output(migration).apply(({ jobName }: { readonly jobName: string }) => jobName);
    const provider = clusterProvider(`${name}-cluster`, cluster, { parent: this });
    return new PostDeployVerification(
      name,
      {
        migration: { plan, jobName, configMapName },
        workloads,
        checks: checks as CheckTarget["checks"],
        image,
        rolloutTimeoutSeconds,
        recentSeconds,
        triggers,
      },
      { parent: this, provider, dependsOn: options?.dependsOn },
    );
  }

  /** Outputs that are the state of the component. */
  get state(): Outputs {
    const { results, releases } = this;
    return { results, releases };
  }
}

/** Returns the outputs in a preview of a migration whose image is not known yet. */
function unknownOutputs(): Outputs {
  const unknown = () => pulumi.output(pulumi.unknown as unknown);
  return { results: unknown(), releases: unknown() };
}
