// The components as a Pulumi component package, for programs in YAML, Python, and other languages. The SDK's provider
// derives the schema from the types of the classes.
import { type ComponentResourceOptions, type Input, type Inputs, type Output, output } from "@pulumi/pulumi";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider.js";
import { type ConstructResult, main } from "@pulumi/pulumi/provider/index.js";
import { planMigration } from "../../../components/plan-migration.ts";
import { isKnown } from "../../cluster/program-target.ts";
import { planFleet } from "../../fleet/plan.ts";
import { stringErrors, validateArguments } from "./arguments.ts";
import { Migration, type MigrationArgs, type MigrationSummary, migrationErrors, planArguments } from "./migration.ts";
import {
  canaryErrors,
  secretNameErrors,
  TenantsMigration,
  type TenantsMigrationArgs,
  tenantsMigrationOptions,
} from "./tenants-migration.ts";
import { Verification, type VerificationArgs, validateVerification } from "./verification.ts";

/** Provider that plans a component's attempts before it constructs the component. */
class MigrationProvider extends ComponentProvider {
  override async construct(
    name: string,
    type: string,
    inputs: Inputs,
    options: ComponentResourceOptions,
  ): Promise<ConstructResult> {
    switch (type) {
      case "pulumi-alembic:index:Migration": {
        const args = inputs as MigrationArgs;
        validateArguments(args, migrationErrors(args));
        const plan = await planMigration(planArguments(args));
        const { urn, state } = new Migration(name, args, options, plan);
        return { urn, state };
      }
      case "pulumi-alembic:index:Verification": {
        const args = inputs as VerificationArgs;
        validateVerification(args);
        const { urn, state } = new Verification(
          name,
          args,
          options,
          await knownValue<MigrationSummary>(args.migration),
        );
        return { urn, state: { ...state } };
      }
      case "pulumi-alembic:index:TenantsMigration": {
        const args = inputs as TenantsMigrationArgs;
        validateArguments(args, [
          ...stringErrors("image", args.image),
          ...secretNameErrors(args.secretNames),
          ...canaryErrors(args.canaries),
        ]);
        const attempts = await planFleet(tenantsMigrationOptions(args), args);
        const { urn, jobNames } = new TenantsMigration(name, args, options, attempts);
        return { urn, state: { jobNames } };
      }
      default:
        throw new Error(`unknown component ${type}: must be Migration, TenantsMigration, or Verification`);
    }
  }
}

/** Returns the value of an input; `undefined` in a preview that doesn't know it. */
async function knownValue<T>(input: Input<T>): Promise<T | undefined> {
  const value = output(input) as Output<T>;
  return (await isKnown(value)) ? new Promise((resolve) => value.apply(resolve)) : undefined;
}

const components = [Migration, TenantsMigration, Verification];
main(
  new MigrationProvider({ name: "pulumi-alembic", dirname: import.meta.dirname, components }),
  process.argv.slice(2),
);
