import * as pulumi from "@pulumi/pulumi";
import { withFormerType } from "../../../components/children.ts";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationFleet } from "../../../components/migration-fleet.ts";
import type { FleetOptions } from "../../fleet/fleet.ts";
import type { TenantAttempt } from "../../fleet/plan.ts";
import { migratedApp } from "../../manifests/app.ts";
import { loadChain } from "../../preflight/release.ts";
import { argumentError, type CommonArgs, stringErrors, timeoutsOf } from "./arguments.ts";

/** Arguments of {@link TenantsMigration}. */
export interface TenantsMigrationArgs extends CommonArgs {
  /** Image that contains the app and its chain of revisions. */
  image: string;
  /** Secrets in the namespace with each tenant's DATABASE_URL, by tenant name. */
  secretNames: { [tenant: string]: string };
  /** Tenants to migrate before all others. Defaults to the first by name. */
  canaries?: string[];
  /** Maximum number of tenants to migrate at the same time. Defaults to 4. */
  parallelism?: number;
}

/** Returns the errors in the tenants' Secrets. */
export function secretNameErrors(secretNames: unknown): pulumi.InputPropertyErrorDetails[] {
  const isMap = typeof secretNames === "object" && secretNames !== null && !Array.isArray(secretNames);
  const entries = isMap ? Object.entries(secretNames) : [];
  if (entries.length === 0)
    return [argumentError("secretNames", secretNames, "a map from each tenant to the name of its Secret")];
  return entries.flatMap(([tenant, name]) => stringErrors(`secretNames.${tenant}`, name));
}

/** Returns the errors in the canaries. */
export function canaryErrors(canaries: unknown): pulumi.InputPropertyErrorDetails[] {
  if (canaries === undefined) return [];
  if (!Array.isArray(canaries)) return [argumentError("canaries", canaries, "a list of tenants")];
  return canaries.flatMap((name, index) => stringErrors(`canaries[${index}]`, name));
}

/** Returns the options for the migrations. */
export function tenantsMigrationOptions(args: TenantsMigrationArgs): FleetOptions {
  const { name, image, imagePullPolicy = "IfNotPresent", appFolder, secretNames } = args;
  const tenants = Object.entries(secretNames).map(([tenant, secretName]) => ({ name: tenant, secretName }));
  tenants.sort((a, b) => (a.name < b.name ? -1 : 1)); // maps are unordered in other languages
  return {
    ...loadChain(appFolder),
    app: migratedApp(name),
    image,
    imagePullPolicy,
    tenants,
    timeouts: timeoutsOf(args),
  };
}

/**
 * Migrates several databases to the head of their app's chain, with a Job for each tenant, canaries first.
 *
 * @example
 * ```yaml
 * migrations:
 *   type: pulumi-alembic:index:TenantsMigration
 *   properties:
 *     name: notes
 *     context: my-cluster
 *     namespace: notes
 *     image: registry.example/notes:1.0
 *     appFolder: app
 *     secretNames: { acme: notes-acme, beta: notes-beta }
 *     canaries: [acme]
 * ```
 */
export class TenantsMigration extends pulumi.ComponentResource {
  /** Names of the Jobs, by tenant. */
  readonly jobNames: pulumi.Output<{ [tenant: string]: string }>;

  constructor(
    name: string,
    args: TenantsMigrationArgs,
    options?: pulumi.ComponentResourceOptions,
    attempts?: readonly TenantAttempt[],
  ) {
    super(
      "pulumi-alembic:index:TenantsMigration",
      name,
      {},
      withFormerType("pulumi-alembic:index:TenantsMigration", options),
    );
    const { context, kubeconfig, namespace, canaries, parallelism } = args;
    const target = { context, kubeconfig, namespace };
    const provider = clusterProvider(`${name}-cluster`, target, { parent: this });
    const fleet = new MigrationFleet(
      name,
      { ...tenantsMigrationOptions(args), ...target, canaries, parallelism, attempts },
      { parent: this, provider, dependsOn: options?.dependsOn },
    );
    const outputs = { jobNames: pulumi.output({ ...fleet.jobNames }) };
    this.jobNames = outputs.jobNames;
    this.registerOutputs(outputs);
  }
}
