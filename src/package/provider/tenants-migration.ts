import * as pulumi from "@pulumi/pulumi";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationFleet } from "../../../components/migration-fleet.ts";
import type { FleetOptions } from "../../fleet/fleet.ts";
import type { TenantAttempt } from "../../fleet/plan.ts";
import { loadChain } from "../../preflight/load-chain.ts";
import { type CommonArgs, invalid, stringErrors, timeoutsOf } from "./arguments.ts";

/** Arguments of {@link TenantsMigration}. */
export interface TenantsMigrationArgs extends CommonArgs {
  /** Secret of the namespace with the DATABASE_URL of each tenant, by the tenant's name. */
  secretNames: { [tenant: string]: string };
  /** Tenants that migrate before all others. The default is the first by name. */
  canaries?: string[];
  /** Maximum number of tenants that migrate at the same time. The default is 4. */
  parallelism?: number;
}

/** Returns the errors of the tenants' Secrets. */
export function secretNameErrors(secretNames: unknown): pulumi.InputPropertyErrorDetails[] {
  const isMap = typeof secretNames === "object" && secretNames !== null && !Array.isArray(secretNames);
  if (isMap && Object.keys(secretNames).length > 0)
    return Object.entries(secretNames).flatMap(([tenant, name]) => stringErrors(`secretNames.${tenant}`, name));
  return [invalid("secretNames", secretNames, "a map of each tenant to the name of a Secret")];
}

/** Returns the errors of the canaries. */
export function canaryErrors(canaries: unknown): pulumi.InputPropertyErrorDetails[] {
  if (canaries === undefined) return [];
  if (Array.isArray(canaries)) return canaries.flatMap((name, index) => stringErrors(`canaries[${index}]`, name));
  return [invalid("canaries", canaries, "a list of tenant names")];
}

/** Returns the options of the migrations. */
export function tenantsMigrationOptions(args: TenantsMigrationArgs): FleetOptions {
  const { image, imagePullPolicy = "IfNotPresent", appFolder, secretNames } = args;
  const tenants = Object.entries(secretNames).map(([name, secretName]) => ({ name, secretName }));
  tenants.sort((a, b) => (a.name < b.name ? -1 : 1)); // maps are unordered in other languages
  return { ...loadChain(appFolder), image, imagePullPolicy, tenants, timeouts: timeoutsOf(args) };
}

/** Migrates several databases to the head of their app's chain: a limited number of Jobs at a time, canaries first. */
export class TenantsMigration extends pulumi.ComponentResource {
  /** Name of each tenant's Job, by the tenant's name. */
  readonly jobNames: pulumi.Output<{ [tenant: string]: string }>;

  constructor(
    name: string,
    args: TenantsMigrationArgs,
    options?: pulumi.ComponentResourceOptions,
    attempts?: readonly TenantAttempt[],
  ) {
    super("unity:index:TenantsMigration", name, {}, options);
    const { context, namespace, canaries, parallelism } = args;
    const target = { context, namespace };
    const provider = clusterProvider(`${name}-cluster`, target, { parent: this });
    const fleet = new MigrationFleet(
      name,
      { ...tenantsMigrationOptions(args), ...target, canaries, parallelism, attempts },
      { parent: this, provider, dependsOn: options?.dependsOn },
    );
    this.jobNames = pulumi.output({ ...fleet.jobNames });
    this.registerOutputs({ jobNames: this.jobNames });
  }
}
