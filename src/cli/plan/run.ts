import type { Plan } from "../../plan/plan.ts";
import { describePlan } from "../../plan/plan-report.ts";
import { exitCodes } from "../command-error.ts";
import { formats, type Highlight, stateMessage } from "../highlight.ts";
import type { Call, Result } from "../result.ts";
import type { StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { exitCodeOf } from "../state-exit-codes.ts";

/** What stands out of a plan. */
export const planHighlights: readonly Highlight[] = [
  [/^Refused: .*/, formats.bad],
  [/^(Pending|To undo): .*/, formats.heading],
  [/^ +\d+\/\d+ {2}\S+ {2}.*/, formats.heading],
  [/^ +error \S+/, formats.bad],
  [/^ +warning \S+/, formats.attention],
  [/^ +(blocks|locks not known) .*/, formats.attention],
];

/** Plans as the program does, and changes nothing. */
export async function run({ options }: Call<StackOptions & { readonly full?: boolean }>): Promise<Result<Plan>> {
  const [{ loadRelease }, { planUpdate }] = await Promise.all([
    import("../../preflight/release.ts"),
    import("../../preflight/preflight.ts"),
  ]);
  const plan = await withSettings(options, (settings) => planUpdate(settings, loadRelease(settings)));
  const rejected = plan.rejection !== null || plan.adoption.rejected.length > 0;
  const exitCode = rejected ? exitCodes.differs : exitCodeOf(plan.state);
  const highlights = [stateMessage(exitCode), ...planHighlights];
  return { document: plan, text: describePlan(plan, options.full), exitCode, highlights };
}
