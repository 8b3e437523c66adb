import { Kubectl } from "../cluster/kubectl.ts";
import { programRemedies, stackRemedies } from "../plan/remedies.ts";
import { describeUpdate, type UpdatePlan } from "../preflight/update-plan.ts";
import { openApp } from "./deployed/app.ts";
import { type DeployedOptions, selectsApp } from "./deployed/options.ts";
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
  [/^ +(blocks |takes about |locks unknown: ).*/, formats.attention],
];

/**
 * Plans an update as the program does, and makes no changes.
 *
 * @returns The plan of `pulumi up`.
 */
export async function run(call: Call<DeployedOptions & { readonly full?: boolean }>): Promise<Result<UpdatePlan>> {
  const { options, progress } = call;
  const isApp = selectsApp(options);
  const plan = await (isApp ? planOfApp(options, progress.note) : planOfStack(options, progress.note));
  const rejected = plan.rejection !== null || plan.adoption.rejected.length > 0;
  const exitCode = rejected ? exitCodes.differs : exitCodeOf(plan.state);
  const highlights = [stateMessage(exitCode), ...planHighlights];
  const remedies = isApp ? programRemedies : stackRemedies;
  return { document: plan, text: describeUpdate(plan, { full: options.full, remedies }), exitCode, highlights };
}

async function planOfApp(options: DeployedOptions, report: (line: string) => void): Promise<UpdatePlan> {
  const { readState, plan } = await openApp(options, report);
  const { approvals: _, ...update } = await plan(await readState());
  return update;
}

async function planOfStack(options: StackOptions, report: (line: string) => void): Promise<UpdatePlan> {
  const [{ loadRelease }, { planUpdate }] = await Promise.all([
    import("../preflight/release.ts"),
    import("../preflight/preflight.ts"),
  ]);
  return withSettings(options, (settings) => {
    const kubectl = new Kubectl(settings, { report });
    return planUpdate(settings, loadRelease(settings), kubectl);
  });
}
