import { Kubectl } from "../cluster/kubectl.ts";
import { describeUpdate, type UpdatePlan } from "../preflight/update-plan.ts";
import { formats, type Highlight, stateMessage } from "./highlight.ts";
import { type Call, exitCodeOf, exitCodes, type Result } from "./result.ts";
import { type StackOptions, withSettings } from "./stack.ts";

/** Highlights of a plan. */
export const planHighlights: readonly Highlight[] = [
  [/^.*; no changes were made:/, formats.bad],
  [/^(Pending|To downgrade): .*/, formats.heading],
  [/^ +\d+\/\d+ {2}\S+ {2}.*/, formats.heading],
  [/^ +error \S+/, formats.bad],
  [/^ +warning \S+/, formats.attention],
  [/^ +(blocks |locks unknown: ).*/, formats.attention],
];

/**
 * Plans an update as the program does, and makes no changes.
 *
 * @returns The plan of `pulumi up`.
 */
export async function run(call: Call<StackOptions & { readonly full?: boolean }>): Promise<Result<UpdatePlan>> {
  const { options, progress } = call;
  const [{ loadRelease }, { planUpdate }] = await Promise.all([
    import("../preflight/release.ts"),
    import("../preflight/preflight.ts"),
  ]);
  const plan = await withSettings(options, (settings) => {
    const kubectl = new Kubectl(settings, { report: progress.note });
    return planUpdate(settings, loadRelease(settings), kubectl);
  });
  const rejected = plan.rejection !== null || plan.adoption.rejected.length > 0;
  const exitCode = rejected ? exitCodes.differs : exitCodeOf(plan.state);
  const highlights = [stateMessage(exitCode), ...planHighlights];
  return { document: plan, text: describeUpdate(plan, options.full), exitCode, highlights };
}
