import * as pulumi from "@pulumi/pulumi";
import { clusterProvider } from "../../../components/cluster-provider.ts";
import { MigrationFleet } from "../../../components/migration-fleet.ts";
import type { TenantAttempt } from "../../fleet/attempts.ts";
import type { FleetOptions } from "../../fleet/options.ts";
import { loadChain } from "../../preflight/release.ts";
import { type CommonArgs, textErrors, timeoutsOf } from "./arguments.ts";

/** Arguments of {@link TenantsMigration}. */
export interface TenantsMigrationArgs extends CommonArgs {
  /** The Secret of the namespace with its DATABASE_URL, by each tenant's name. */
  secretNames: { [tenant: string]: string };
  /** Tenants that are migrated before all others. The default is the first by name. */
  canaries?: string[];
  /** How many are migrated at once. The default is 4. */
  parallelism?: number;
}

/** @returns What is wrong with the tenants' Secrets. */
export function secretNameErrors(secretNames: unknown): pulumi.InputPropertyErrorDetails[] {
  const isMap = typeof secretNames === "object" && secretNames !== null && !Array.isArray(secretNames);
  if (isMap && Object.keys(secretNames).length > 0)
    return Object.entries(secretNames).flatMap(([tenant, name]) => textErrors(`secretNames.${tenant}`, name));
  const reason = `is ${JSON.stringify(secretNames) ?? "missing"}: give it the name of a Secret for each tenant`;
  return [{ propertyPath: "secretNames", reason }];
}

/** @returns What is wrong with the tenants that go first. */
export function canaryErrors(canaries: unknown): pulumi.InputPropertyErrorDetails[] {
  if (canaries === undefined) return [];
  if (Array.isArray(canaries)) return canaries.flatMap((name, index) => textErrors(`canaries[${index}]`, name));
  return [{ propertyPath: "canaries", reason: `is ${JSON.stringify(canaries)}: give it a list of tenants` }];
}

/** @returns What the migrations are made of. */
export function tenantsMigrationOptions(args: TenantsMigrationArgs): FleetOptions {
  const { image, imagePullPolicy = "IfNotPresent", appFolder, secretNames } = args;
  const tenants = Object.entries(secretNames).map(([name, secretName]) => ({ name, secretName }));
  tenants.sort((a, b) => (a.name < b.name ? -1 : 1)); // a map has no order in other languages
  return { ...loadChain(appFolder), image, imagePullPolicy, tenants, timeouts: timeoutsOf(args) };
}

/** Brings many databases to the head of their app's chain: so many Jobs at once, canaries first. */
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
