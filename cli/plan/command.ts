import { Command } from "commander";
import type { Plan } from "../../migrations/plan.ts";
import { describePlan } from "../../migrations/plan-report.ts";
import { exitCodes } from "../command-error.ts";
import { addStackOptions, type StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
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
      process.exitCode =
        plan.refusal === null && plan.takeOver.refused.length === 0 ? exitCodeOf(plan.state) : exitCodes.differs;
    });
}

/** Plans as the program does. */
async function makePlan(options: StackOptions): Promise<Plan> {
  const [{ loadRelease }, { planUpdate }] = await Promise.all([
    import("../../release.ts"),
    import("../../update-plan.ts"),
  ]);
  return withSettings(options, (settings) => planUpdate(settings, loadRelease(settings)));
}
