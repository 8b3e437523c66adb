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
import { applyByExec, type ExecPod, execError, findExecPod } from "./by-exec.ts";
import { applyByJob } from "./by-job.ts";

/** How pending revisions are applied: by the migration Job, or by its runner in a pod of the backend. */
export type Method = "job" | "exec";

/** Result of applying pending revisions. */
export interface Applied {
  readonly outcome: /** No revisions were pending. */
    | "unchanged"
    | "applied"
    /** The plan or the method is not allowed; no changes were made. */
    | "rejected"
    /** The pending revisions are unknown, or nothing is deployed; no changes were made. */
    | "unavailable"
    | "failed";
  /** Rows of the version table before; `null` if unknown. */
  readonly from: readonly string[] | null;
  /** Revision to migrate to. */
  readonly target: string;
  /** Number of pending revisions; `null` if unknown. */
  readonly pending: number | null;
  /** Name of the Job that applied them; `null` if none did. */
  readonly job: string | null;
  /** The log, the rejected plan, or the error. */
  readonly text: string;
}

/**
 * Applies a stack's pending revisions.
 *
 * @returns The result of applying them.
 */
export async function run(call: Call<StackOptions & { readonly method: Method }>): Promise<Result<Applied>> {
  const { options, progress } = call;
  const { loadRelease } = await import("../../preflight/release.ts");
  const applied = await withSettings(options, (settings) =>
    applyPending(settings, loadRelease(settings), options.method, progress),
  );
  const { outcome, target } = applied;
  const text = outcome === "applied" ? `${applied.text}\nDatabase is at ${target}.` : applied.text;
  const exitCode = exitCodeOf(applied);
  return { document: applied, text, exitCode, highlights: [stateMessage(exitCode), ...planHighlights] };
}

/** Applies pending revisions by the rules of `pulumi up`: with the same plan, rejections, and Job. */
export async function applyPending(
  settings: Settings,
  release: Release,
  method: Method,
  { doing, print, note }: Progress,
): Promise<Applied> {
  // Imported here because the SDK takes longer to load than the rest of the CLI.
  const { effectiveSettings, planFor, planUpdate, readStackLive } = await import("../../preflight/preflight.ts");
  const kubectl = new Kubectl(settings, { report: note });
  doing("planning");
  const live = await readStackLive(settings, release, kubectl);
  const plan = planFor(live, settings, release);
  const { state, job, head: target } = plan;
  const result = { from: rowsOf(state), target, pending: plan.pending?.length ?? null, job: null };
  if (state.kind === "unreachable" || state.kind === "not-deployed")
    return { ...result, outcome: "unavailable", text: `${plan.message}\n${plan.remediation}` };
  const effective = effectiveSettings(settings, live, release);
  const options = migrationOptions(effective, release);
  const rejected = await rejectionOf(plan, settings, release);
  if (rejected !== null) return { ...result, outcome: "rejected", text: rejected };
  if (job === null || isMigrated(state)) return { ...result, outcome: "unchanged", text: plan.message };
  const pod = method === "exec" ? await execPod(plan, effective, kubectl, options.image) : undefined;
  if (pod !== undefined && "error" in pod) {
    const text = `can't use --method exec; no changes were made:\n  ${pod.error}\nUse --method job.`;
    return { ...result, outcome: "rejected", text };
  }
  print(describeUpdate(plan));
  doing("migrating");
  try {
    const log =
      pod === undefined
        ? await applyByJob(kubectl, settings, options, job, print)
        : await applyByExec(kubectl, options, job, pod.name);
    const { state: after, message } = await planUpdate({ ...settings, planHash: undefined }, release, kubectl);
    if (after.kind !== "at-head") return { ...result, outcome: "failed", text: `${log}\n${message}`.trim() };
    return { ...result, outcome: "applied", text: log.trim(), job: method === "job" ? job.name : null };
  } catch (error) {
    return { ...result, outcome: "failed", text: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns the rows of the version table; `null` if they are unknown. */
function rowsOf(state: LiveState): readonly string[] | null {
  if (state.kind === "never-applied") return [];
  if (state.kind === "at-head") return [state.revision];
  return "revisions" in state ? state.revisions : null;
}

/** Returns the pod that a plan is applied in by `--method exec`, or why it can't be. */
async function execPod(plan: UpdatePlan, settings: Settings, kubectl: Kubectl, image: string): Promise<ExecPod> {
  const error = execError(settings, plan);
  return error === null ? findExecPod(kubectl, image) : { error };
}

function isMigrated({ kind }: LiveState): boolean {
  return kind === "at-head" || kind === "ahead";
}

/**
 * Describes why a plan can't be applied; `null` if it can.
 *
 * @throws {CommandError} If the outputs of the stack that releases are promoted from can't be read.
 */
async function rejectionOf(plan: UpdatePlan, settings: Settings, release: Release): Promise<string | null> {
  if (plan.job === null) return describeUpdate(plan);
  const { promotedFrom, environment } = settings;
  if (isMigrated(plan.state) || promotedFrom === undefined) return null;
  const source = { stack: promotedFrom, ...(await readRecords(promotedFrom)) };
  const errors = promotionErrors(identify({ ...release, ...settings }), source);
  return errors.length === 0 ? null : describePromotion(errors, promotedFrom, environment);
}

/** Returns the exit code of an outcome. */
export function exitCodeOf({ outcome }: Applied): ExitCode {
  switch (outcome) {
    case "applied":
    case "unchanged":
      return exitCodes.success;
    case "rejected":
    case "failed":
      return exitCodes.differs;
    case "unavailable":
      return exitCodes.usage;
  }
}
