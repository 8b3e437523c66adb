import { Command } from "commander";
import type { Plan } from "../../migrations/plan.ts";
import { describePlan } from "../../migrations/plan-report.ts";
import { CommandError, exitCodes } from "../command-error.ts";
import { addStackOptions, readStack, type StackOptions } from "../stack-options.ts";
import { exitCodeOf, stateExitCodes } from "../state-exit-codes.ts";

interface PlanOptions extends StackOptions {
  readonly full?: boolean;
  readonly json?: boolean;
}

/** @returns The command `unity plan`. */
export function planProgram(): Command {
  return addStackOptions(new Command("plan"))
    .description("Show what `pulumi up` would do to the database: the pending revisions with their SQL, and the Job.")
    .option("--full", "show whole statements")
    .option("--json", "print the plan as JSON, with whole statements")
    .addHelpText("after", stateExitCodes)
    .exitOverride()
    .action(async (options: PlanOptions) => {
      const plan = await makePlan(options);
      process.stdout.write(`${options.json ? JSON.stringify(plan, null, 2) : describePlan(plan, options.full)}\n`);
      process.exitCode = plan.refusal === null ? exitCodeOf(plan.state) : exitCodes.differs;
    });
}

/** Plans as the program does, with the settings that it would get. */
async function makePlan(options: StackOptions): Promise<Plan> {
  const { values, secretKeys } = readStack(options);
  // Only here: the SDK takes longer to load than the rest of the command line.
  const [pulumi, { loadRelease }, { loadSettings }, { planUpdate }] = await Promise.all([
    import("@pulumi/pulumi"),
    import("../../release.ts"),
    import("../../settings.ts"),
    import("../../update-plan.ts"),
  ]);
  try {
    pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
    return await planUpdate(loadSettings(new pulumi.Config("unity")), loadRelease());
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) throw new CommandError(error.message);
    throw error;
  }
}
