import { Kubectl } from "../../cluster/kubectl.ts";
import type { LiveState } from "../../plan/live-state.ts";
import { migrationOptions } from "../../preflight/options.ts";
import type { Release } from "../../preflight/release.ts";
import { describeUpdate, type UpdatePlan } from "../../preflight/update-plan.ts";
import { describePromotion, promotionErrors } from "../../promotion/promotion.ts";
import { identify } from "../../promotion/record.ts";
import type { Settings } from "../../settings/settings.ts";
import { stateMessage } from "../highlight.ts";
import { planHighlights } from "../plan.ts";
import type { Progress } from "../progress.ts";
import { type Call, type ExitCode, exitCodes, type Result } from "../result.ts";
import { type StackOptions, withSettings } from "../stack.ts";
import { readRecords } from "../stack-outputs.ts";
import { applyByExec, execError } from "./by-exec.ts";
import { applyByJob } from "./by-job.ts";

/** How pending revisions are applied: by the migrate Job, or by Alembic in the backend's pod. */
export type Method = "job" | "exec";

/** How applying ended. */
export interface Applied {
  readonly outcome:
    | "nothing to do"
    | "applied"
    /** Nothing was changed. */
    | "refused"
    /** What is pending is not known, or there is nothing to apply it to: nothing was changed. */
    | "unavailable"
    | "failed";
  /** Rows of `alembic_version` before; `null` if they are not known. */
  readonly from: readonly string[] | null;
  /** Where the database was to be. */
  readonly target: string;
  /** How many revisions were pending; `null` if that is not known. */
  readonly pending: number | null;
  /** Name of the Job that applied them; `null` if none did. */
  readonly job: string | null;
  /** What people read of it: the plan that was refused, the log, the error. */
  readonly text: string;
}

/**
 * Applies what is pending with a stack's settings.
 *
 * @returns How applying ended.
 */
export async function run(call: Call<StackOptions & { readonly method: Method }>): Promise<Result<Applied>> {
  const { options, progress } = call;
  const { loadRelease } = await import("../../preflight/release.ts");
  const applied = await withSettings(options, (settings) =>
    applyPending(settings, loadRelease(settings), options.method, progress),
  );
  const exitCode = exitCodeOf(applied);
  const highlights = [stateMessage(exitCode), ...planHighlights];
  return { document: applied, text: describe(applied), exitCode, highlights };
}

function describe({ outcome, text, target }: Applied): string {
  return outcome === "applied" ? `${text}\nDatabase is at ${target}.` : text;
}

/** @returns Rows of `alembic_version`; `null` if they are not known. */
function rowsOf(state: LiveState): readonly string[] | null {
  if (state.kind === "never-applied") return [];
  if (state.kind === "at-head") return [state.revision];
  return "revisions" in state ? state.revisions : null;
}

/**
 * Applies what is pending by the rules of `pulumi up`: the same plan, the same refusals, the same Job.
 */
export async function applyPending(
  settings: Settings,
  release: Release,
  method: Method,
  { doing, print }: Progress,
): Promise<Applied> {
  // Only here: both load Pulumi's SDK, which takes longer than the rest of the command line.
  const { planUpdate } = await import("../../preflight/preflight.ts");
  doing("planning");
  const plan = await planUpdate(settings, release);
  const { state, job } = plan;
  const end = (outcome: Applied["outcome"], text: string, jobName: string | null = null): Applied => ({
    outcome,
    from: rowsOf(state),
    target: plan.head,
    pending: plan.pending?.length ?? null,
    job: jobName,
    text,
  });
  const stop = blocker(plan, settings, method);
  if (stop !== null) return end(stop.outcome, stop.text);
  if (job === null || state.kind === "at-head" || state.kind === "ahead") return end("nothing to do", plan.message);
  const unpromoted = await promotionRejection(settings, release);
  if (unpromoted !== null) return end("refused", unpromoted);
  print(describeUpdate(plan));
  doing("migrating");
  const kubectl = new Kubectl(settings);
  try {
    const log =
      method === "job"
        ? await applyByJob(kubectl, settings, migrationOptions(settings, release), job, print)
        : await applyByExec(kubectl, settings, plan.head);
    const after = await planUpdate({ ...settings, planHash: undefined }, release);
    if (after.state.kind === "at-head") return end("applied", log.trim(), method === "job" ? job.name : null);
    return end("failed", `${log}\n${after.message}`.trim());
  } catch (error) {
    return end("failed", error instanceof Error ? error.message : String(error));
  }
}

/** @returns The exit code of an outcome. */
export function exitCodeOf({ outcome }: Applied): ExitCode {
  switch (outcome) {
    case "applied":
    case "nothing to do":
      return exitCodes.success;
    case "refused":
    case "failed":
      return exitCodes.differs;
    case "unavailable":
      return exitCodes.usage;
  }
}

/** What keeps a plan from being carried out; `null` if nothing does. */
function blocker(plan: UpdatePlan, settings: Settings, method: Method): Pick<Applied, "outcome" | "text"> | null {
  const { state, job } = plan;
  if (state.kind === "unreachable" || state.kind === "not-deployed")
    return { outcome: "unavailable", text: `${plan.message}\n${plan.remediation}` };
  if (job === null) return { outcome: "refused", text: describeUpdate(plan) };
  const error = method === "exec" && state.kind !== "at-head" ? execError(settings, plan) : null;
  return error === null ? null : { outcome: "refused", text: `Refused: ${error}. Use --method job.` };
}

/**
 * @returns Why the release is none that has succeeded in the stack that this one takes its releases from, as `pulumi up`
 *   would say; `null` if it has, or may come from anywhere.
 * @throws {CommandError} If that stack's outputs can't be read.
 */
async function promotionRejection(settings: Settings, release: Release): Promise<string | null> {
  const { promotedFrom, environment } = settings;
  if (promotedFrom === undefined) return null;
  const source = { stack: promotedFrom, records: await readRecords(promotedFrom) };
  const errors = promotionErrors(identify({ ...release, ...settings }), source);
  return errors.length === 0 ? null : describePromotion(errors, promotedFrom, environment);
}
