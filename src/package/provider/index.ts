// The components as a Pulumi component package, for programs in YAML, Python, and other languages. The SDK's provider
// derives the schema from the types of the classes.
import type { ComponentResourceOptions, Inputs } from "@pulumi/pulumi";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider.js";
import { type ConstructResult, main } from "@pulumi/pulumi/provider/index.js";
import { planMigration } from "../../../components/plan-migration.ts";
import { planFleet } from "../../fleet/plan.ts";
import { stringErrors, validateArguments } from "./arguments.ts";
import { DatabaseMigration, type DatabaseMigrationArgs, planArguments } from "./database-migration.ts";
import {
  canaryErrors,
  secretNameErrors,
  TenantsMigration,
  type TenantsMigrationArgs,
  tenantsMigrationOptions,
} from "./tenants-migration.ts";

/** Provider that plans a component's attempts before it constructs the component. */
class UnityProvider extends ComponentProvider {
  override async construct(
    name: string,
    type: string,
    inputs: Inputs,
    options: ComponentResourceOptions,
  ): Promise<ConstructResult> {
    switch (type) {
      case "unity:index:DatabaseMigration": {
        const args = inputs as DatabaseMigrationArgs;
        validateArguments(args, stringErrors("secretName", args.secretName));
        const plan = await planMigration(planArguments(args));
        const { urn, jobName } = new DatabaseMigration(name, args, options, plan);
        return { urn, state: { jobName } };
      }
      case "unity:index:TenantsMigration": {
        const args = inputs as TenantsMigrationArgs;
        validateArguments(args, [...secretNameErrors(args.secretNames), ...canaryErrors(args.canaries)]);
        const attempts = await planFleet(tenantsMigrationOptions(args), args);
        const { urn, jobNames } = new TenantsMigration(name, args, options, attempts);
        return { urn, state: { jobNames } };
      }
      default:
        throw new Error(`unknown component ${type}: must be DatabaseMigration or TenantsMigration`);
    }
  }
}

const components = [DatabaseMigration, TenantsMigration];
main(new UnityProvider({ name: "unity", dirname: import.meta.dirname, components }), process.argv.slice(2));
