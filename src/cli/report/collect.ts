import type { CheckResult } from "../../checks/result.ts";
import { Kubectl } from "../../cluster/kubectl.ts";
import { type Live, readLive } from "../../cluster/live-state.ts";
import { readRuns } from "../../cluster/run-records.ts";
import { cutAt } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import { evaluate } from "../../plan/findings.ts";
import { classify, describeState, type LiveState, type Reading } from "../../plan/live-state.ts";
import type { Settings } from "../../settings/settings.ts";
import { readTables } from "../chain/schema.ts";
import { viewChain } from "../chain/view.ts";
import type { Progress } from "../progress.ts";
import { CommandError } from "../result.ts";
import { concealed, readSettings, type StackOptions, withSettings } from "../stack.ts";
import { stackCheckTarget, verify } from "../verify.ts";
import { known, type Part, type Report, type ReportedPlan, redacted } from "./report.ts";

/** Release and database to report on. */
export interface ReportSource extends StackOptions {
  /**
   * Image of the backend.
   *
   * @defaultValue the stack's
   */
  readonly image?: string;
  /** Whether neither the cluster nor the stack's configuration is read. */
  readonly offline?: boolean;
}

/** The parts of a report that require a cluster and a stack. */
export interface LiveParts extends Pick<Report, "target" | "live" | "plan" | "checks" | "runs"> {
  readonly reading?: Reading;
  /** Last revision of the release, if the stack sets it. */
  readonly targetRevision?: string | undefined;
}

const offline = { missing: "the report was created with --offline" };

/** The parts of a report without a cluster. */
export const offlineParts: LiveParts = { target: null, live: offline, plan: offline, checks: offline, runs: offline };

/**
 * Collects a report. Parts that can't be read contain the reason.
 *
 * @throws {CommandError} If no context is set, or the lockfile lacks the stack's target revision.
 */
export async function collectReport(source: ReportSource, progress: Progress): Promise<Report> {
  const createdAt = new Date().toISOString();
  const lock = readLock(lockFile);
  const parts = source.offline ? offlineParts : await collectLiveParts(lock, source, progress);
  return assembleReport(lock, parts, createdAt);
}

/** Queries the database's revision first, and then collects the other parts in parallel. */
async function collectLiveParts(lock: Lock, source: ReportSource, progress: Progress): Promise<LiveParts> {
  const settings = await readSettings(source);
  const { context, namespace, database, targetRevision } = settings;
  const target = { context, namespace };
  const owned = database.kind === "owned";
  if (targetRevision !== undefined) requireRevision(lock, targetRevision);
  const kubectl = new Kubectl(settings, { report: progress.note });
  const live = await readLive(kubectl, owned, lock);
  const state = classify(live.reading, lock, settings);
  const description = describeState(state, lock, target, settings);
  const unavailable = hasNoDatabase(state) ? { missing: description.message } : undefined;
  const [plan, checks, runs] = await Promise.all([
    partOf(planFrom(live, source)),
    unavailable ?? partOf(runAllChecks(settings, progress)),
    unavailable ?? partOf(readRuns(kubectl, owned)),
  ]);
  return {
    target: { ...target, image: source.image ?? (settings.image || null) },
    reading: live.reading,
    targetRevision,
    live: { value: { ...description, state } },
    plan,
    checks,
    runs,
  };
}

async function runAllChecks(settings: Settings, progress: Progress): Promise<readonly CheckResult[]> {
  return verify(stackCheckTarget(settings), progress);
}

/** @throws {CommandError} If the lockfile lacks the revision. */
function requireRevision(lock: Lock, revision: string): void {
  try {
    cutAt(lock, revision);
  } catch (error) {
    throw new CommandError(messageOf(error));
  }
}

/** Whether the state rules out a query of the database. */
function hasNoDatabase(state: LiveState): boolean {
  return state.kind === "not-deployed" || (state.kind === "unreachable" && state.what === "cluster");
}

async function partOf<T>(work: Promise<T>): Promise<Part<T>> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => ({ missing: messageOf(error) }),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Plans as the program does. A plan doesn't depend on passwords, so the stack may lack them. */
async function planFrom(live: Live, source: ReportSource): Promise<ReportedPlan> {
  const [{ loadRelease }, { planFor }] = await Promise.all([
    import("../../preflight/release.ts"),
    import("../../preflight/preflight.ts"),
  ]);
  const overrides: Record<string, string> = {
    "unity:databasePassword": concealed,
    "unity:databaseUrl": concealed,
  };
  if (source.image !== undefined) overrides["unity:image"] = source.image;
  return withSettings(
    source,
    (settings) => ({ ...planFor(live, settings, loadRelease(settings)), approvals: settings.approvals }),
    (values) => ({ ...values, ...overrides }),
  );
}

/** Combines a lockfile and the parts that require a cluster. */
export async function assembleReport(lock: Lock, liveParts: LiveParts, createdAt: string): Promise<Report> {
  const { reading, targetRevision, ...parts } = liveParts;
  const state = known(parts.live)?.state;
  const approvals = known(parts.plan)?.approvals ?? [];
  const evaluated = new Map(evaluate(lock.revisions, approvals).map((revision) => [revision.id, revision]));
  const revisions = viewChain(lock, reading && state && { reading, state }).flatMap((view) => {
    const revision = evaluated.get(view.id);
    if (revision === undefined) return [];
    const { file, upgrade, downgrade, reversibleReason, findings, locks } = revision;
    return [{ ...view, file, upgrade, downgrade, reversibleReason, findings, locks }];
  });
  return redacted({
    createdAt,
    ...parts,
    heads: targetRevision === undefined ? lock.heads : [targetRevision],
    revisions,
    tables: await readTables(targetRevision === undefined ? lock : cutAt(lock, targetRevision)),
  });
}
