import type { CheckResult } from "../checks/result.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { rollout } from "../cluster/wait/rollout.ts";
import { waitFor } from "../cluster/wait/wait.ts";
import { names } from "../manifests/names.ts";
import { pluralize } from "../pluralize.ts";
import { checkTarget } from "../preflight/options.ts";
import type { Settings } from "../settings/settings.ts";
import { type Applied, applyPending, exitCodeOf } from "./apply/apply.ts";
import { styled } from "./highlight.ts";
import { planHighlights } from "./plan.ts";
import type { Progress } from "./progress.ts";
import { type Call, exitCodes, type Result } from "./result.ts";
import { type StackOptions, withSettings } from "./stack.ts";
import { describeResults, verify } from "./verify.ts";

/** Result of the migration, and of the checks after it. */
export interface MigrationOutcome {
  /** Rows of the version table before; `null` if unknown. */
  readonly current: readonly string[] | null;
  /** Revision to migrate to. */
  readonly latest: string;
  /** Outcome of the migration. */
  readonly outcome: Applied["outcome"];
  /** Number of applied revisions. */
  readonly applied: number;
  /** Name of the migration Job that applied them; `null` if none ran. */
  readonly job: string | null;
  /** Why the migration stopped; `null` if it didn't. */
  readonly error: string | null;
  /** Empty if the migration stopped. */
  readonly checks: readonly CheckResult[];
}

/**
 * Applies pending revisions, and runs the checks.
 *
 * @returns The result of the migration, and of the checks after it.
 */
export async function run({ options, progress }: Call<StackOptions>): Promise<Result<MigrationOutcome>> {
  return withSettings(options, (settings) => migrate(settings, progress));
}

async function migrate(settings: Settings, progress: Progress): Promise<Result<MigrationOutcome>> {
  const { loadRelease } = await import("../preflight/release.ts");
  const release = loadRelease(settings);
  const migration = await applyPending(settings, release, "job", progress);
  const { outcome, from: current, target: latest, pending, job, text } = migration;
  const isApplied = outcome === "applied";
  const applied = isApplied ? (pending ?? 0) : 0;
  const migrationExitCode = exitCodeOf(migration);
  if (migrationExitCode !== exitCodes.success) {
    const document = { current, latest, outcome, applied, job, error: text, checks: [] };
    return { document, text: describe(document), exitCode: migrationExitCode, highlights: planHighlights };
  }
  const target = checkTarget(settings, release);
  const since = performance.now();
  if (isApplied) await waitForBackend(settings, progress);
  // Until now the backend may have lacked tables, and logged errors.
  const recentSeconds = isApplied ? Math.ceil((performance.now() - since) / 1000) + 1 : undefined;
  const checks = await verify({ ...target, recentSeconds }, release.lock, progress);
  const document = { current, latest, outcome, applied, job, error: null, checks };
  const exitCode = checks.every(({ passed }) => passed) ? exitCodes.success : exitCodes.differs;
  return { document, text: describe(document), exitCode };
}

/** Waits until the backend's pods, which need the database's tables, are ready. Otherwise the checks report why. */
async function waitForBackend(settings: Settings, { print, note }: Progress): Promise<void> {
  const { context, namespace, rolloutTimeoutSeconds: timeoutSeconds } = settings;
  const kubectl = new Kubectl(settings, { report: note });
  const target = { context, namespace, name: names.backend, timeoutSeconds };
  await waitFor(kubectl, target, await rollout(kubectl, names.backend), print).catch((error: Error) =>
    print(error.message),
  );
}

function describe({ current, latest, applied, job, error, checks }: MigrationOutcome): string {
  const rows = current === null ? "unknown" : current.join(", ") || "none";
  const lines = [`${styled("heading", "Current:")} ${rows}`, `${styled("heading", "Latest:")}  ${latest}`];
  if (error !== null) return [...lines, error].join("\n");
  const result = job === null ? "No pending revisions." : `Applied ${pluralize(applied, "revision")} with Job ${job}.`;
  return [...lines, styled("good", result), "", describeResults(checks)].join("\n");
}
