import { checkNames } from "../checks/names.ts";
import type { CheckResult } from "../checks/result.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { rollout } from "../cluster/wait/rollout.ts";
import { waitFor } from "../cluster/wait/wait.ts";
import { names } from "../manifests/names.ts";
import { checkTarget } from "../preflight/options.ts";
import type { Settings } from "../settings/settings.ts";
import { type Applied, applyPending, exitCodeOf } from "./apply/apply.ts";
import { formats } from "./highlight.ts";
import { planHighlights } from "./plan.ts";
import type { Progress } from "./progress.ts";
import { type Call, type ExitCode, exitCodes, type Result } from "./result.ts";
import { type StackOptions, withSettings } from "./stack.ts";
import { describeResults, resultHighlights, verify } from "./verify.ts";

/** What was applied, and what the checks found. */
export interface MigrationOutcome {
  /** Rows of `alembic_version` before; `null` if they are not known. */
  readonly current: readonly string[] | null;
  /** Where the database was to be. */
  readonly latest: string;
  /** How applying ended. */
  readonly outcome: Applied["outcome"];
  /** How many revisions were applied. */
  readonly applied: number;
  /** The migrate Job that applied them; `null` if none had to. */
  readonly job: string | null;
  /** Why it stopped; `null` if it did not. */
  readonly error: string | null;
  /** Empty if it stopped before. */
  readonly checks: readonly CheckResult[];
}

/**
 * Applies what is pending, and runs the checks.
 *
 * @returns What was applied, and what the checks found.
 */
export async function run({ options, progress }: Call<StackOptions>): Promise<Result<MigrationOutcome>> {
  const { outcome, exitCode } = await withSettings(options, (settings) => migrate(settings, progress));
  const result = [/^(Nothing to apply|Applied) .*/, formats.good] as const;
  const highlights = [[/^(Current|Latest):/, formats.heading] as const, result, ...planHighlights, ...resultHighlights];
  return { document: outcome, text: describe(outcome), exitCode, highlights };
}

async function migrate(
  settings: Settings,
  progress: Progress,
): Promise<{ readonly outcome: MigrationOutcome; readonly exitCode: ExitCode }> {
  const { loadRelease } = await import("../preflight/release.ts");
  const release = loadRelease(settings);
  const applied = await applyPending(settings, release, "job", progress);
  const isApplied = applied.outcome === "applied";
  const stopped = exitCodeOf(applied) !== exitCodes.success;
  const outcome = {
    current: applied.from,
    latest: applied.target,
    outcome: applied.outcome,
    applied: isApplied ? (applied.pending ?? 0) : 0,
    job: applied.job,
    error: stopped ? applied.text : null,
  };
  if (stopped) return { outcome: { ...outcome, checks: [] }, exitCode: exitCodeOf(applied) };
  const since = performance.now();
  if (isApplied) await backendReady(settings, progress);
  // Until now the backend may have missed tables, and said so.
  const recentSeconds = isApplied ? Math.ceil((performance.now() - since) / 1000) + 1 : undefined;
  const checks = await verify({ ...checkTarget(settings, release), recentSeconds }, checkNames, progress);
  const passed = checks.every((each) => each.passed);
  return { outcome: { ...outcome, checks }, exitCode: passed ? exitCodes.success : exitCodes.differs };
}

/** Waits until the backend's pods serve, which need the database's tables for it. If they don't, the checks will say so. */
async function backendReady(settings: Settings, { print }: Progress): Promise<void> {
  const { context, namespace, rolloutTimeoutSeconds: timeoutSeconds } = settings;
  const kubectl = new Kubectl(settings);
  const target = { context, namespace, name: names.backend, timeoutSeconds };
  await waitFor(kubectl, target, await rollout(kubectl, names.backend), print).catch((error: Error) =>
    print(error.message),
  );
}

function describe({ current, latest, applied, job, error, checks }: MigrationOutcome): string {
  const rows = current === null ? "not known" : current.join(", ") || "none: the database was never migrated";
  const head = [`Current: ${rows}`, `Latest:  ${latest}`];
  if (error !== null) return [...head, error].join("\n");
  const count = applied === 1 ? "1 revision" : `${applied} revisions`;
  return [
    ...head,
    job === null ? "Nothing to apply." : `Applied ${count} by Job ${job}.`,
    describeResults(checks),
  ].join("\n");
}
